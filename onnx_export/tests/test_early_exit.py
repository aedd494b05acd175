"""`--layers N`: a bundle of its own, proven against the cut model, its cost said and not judged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bicross.bundle import Bundle
from bicross.errors import GateFailed
from bicross.runtime import CrossEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.cli import app
from onnx_export.gate.regate import run_gate_again
from onnx_export.report import print_manifest
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options
from onnx_export.tests.mutations import mutated

pytestmark = pytest.mark.torch
Export = Callable[..., Bundle]


@pytest.fixture(scope="session")
def folder(models: Any) -> Path:
    found: Path = models.cross(1)
    return found


@pytest.fixture(scope="session")
def cut(folder: Path, export: Export) -> Bundle:
    return export(folder, Options(layers=1))


def test_bundle_of_first_layers_is_another_model(cut: Bundle, folder: Path, export: Export) -> None:
    whole = export(folder)
    assert cut.manifest.source.layers == 1
    assert cut.manifest.name == f"{folder.name}-l1"
    assert cut.manifest.source.weights_sha256 == whole.manifest.source.weights_sha256
    assert cut.manifest.digest != whole.manifest.digest
    assert json.loads(cut.file("config.json").read_text())["num_hidden_layers"] == 1
    sizes = [each.file("onnx/model.onnx").stat().st_size for each in (cut, whole)]
    assert sizes[0] < sizes[1]


def test_what_the_other_layers_did_is_told_and_not_judged(
    cut: Bundle, folder: Path, export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    parity = cut.manifest.precisions["fp32"].parity
    assert isinstance(parity, dict)
    assert parity["whole.layers"] == 2
    assert float(parity["whole.mean_kendall_tau"]) < 0.9
    assert not [name for name in parity if name.startswith("bound.whole")]
    print_manifest(cut.manifest, cut.path, as_json=False)
    assert "beside the whole model" in capsys.readouterr().out
    assert "whole.layers" not in (export(folder).manifest.precisions["fp32"].parity)


def test_goldens_are_the_cut_model_s(cut: Bundle, folder: Path, export: Export) -> None:
    """And not the whole one's, by which such a graph would have to fail."""
    goldens = cut.goldens
    encoder = CrossEncoder.load(cut, threads=1)
    scores = [encoder.score(query, goldens.passages).tolist() for query in goldens.queries]
    assert goldens.compare_scores(scores).max_abs_diff < 1e-5
    assert export(folder).goldens.compare_scores(scores).max_abs_diff > 0.1


def test_gate_run_again_cuts_the_original_likewise(
    cut: Bundle, folder: Path, sample: Sample, narrate: Callable[[str], None]
) -> None:
    figures = run_gate_again(cut, ModelFolder(folder, folder.name), sample, narrate)
    assert figures["min_kendall_tau"] == 1.0
    assert figures["whole.layers"] == 2


def test_gate_run_again_notices_a_bundle_that_says_the_wrong_layers(
    cut: Bundle,
    folder: Path,
    sample: Sample,
    narrate: Callable[[str], None],
    tmp_path: Path,
) -> None:
    def say_two(raw: dict[str, Any]) -> None:
        raw["source"]["layers"] = 2

    wrong = mutated(cut, tmp_path / "wrong", manifest=say_two)
    with pytest.raises(GateFailed):
        run_gate_again(wrong, ModelFolder(folder, folder.name), sample, narrate)


def test_layers_that_the_model_lacks_leave_nothing_behind(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["model", str(folder), str(out), "--layers", "3"])
    assert f"--layers 3: {folder.name} has 2 layers; keep from 1 to 2" in str(ran.exception)
    assert list(tmp_path.iterdir()) == []
