"""Every precision of tiny models, made, proven and recorded by a real export."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bicross.bundle import Bundle, Manifest, open_bundle
from bicross.errors import GateFailed, UsageError
from bicross.runtime import load_encoder, self_test
from bicross.runtime.ranking.samples import Sample
from onnx_export.check import check_bundle
from onnx_export.gate.probes import compute_probes
from onnx_export.precision.adding import PrecisionsRefused, Workbench
from onnx_export.precision.names import PRECISIONS
from onnx_export.publish import Request, export_model
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec

pytestmark = pytest.mark.torch
FILES = tuple(name for name, precision in PRECISIONS.items() if precision.hint is None)


def exported(folder: Path, out: Path, sample: Sample) -> tuple[Bundle, str]:
    """With every precision; and what is said of those that were refused."""
    request = Request(ModelFolder(folder, folder.name), out, sample, precisions=tuple(PRECISIONS))
    try:
        export_model(request, print)
    except PrecisionsRefused as error:
        return open_bundle(out), str(error)
    return open_bundle(out), ""


@pytest.fixture(scope="session")
def bi(models: Any, sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, str]:
    return exported(models.embedding("mean"), tmp_path_factory.mktemp("precise") / "bi", sample)


@pytest.fixture(scope="session")
def cross(
    models: Any, sample: Sample, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bundle, str]:
    return exported(models.cross(1), tmp_path_factory.mktemp("precise") / "cross", sample)


@pytest.fixture(params=["bi", "cross"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: tuple[Bundle, str] = request.getfixturevalue(request.param)
    return found[0]


def test_each_precision_is_written_or_refused_with_its_figure(
    bi: tuple[Bundle, str], cross: tuple[Bundle, str]
) -> None:
    for bundle, refused in (bi, cross):
        for name in FILES:
            written = name in bundle.manifest.precisions
            assert written != (f", {name}: " in refused)
            assert bundle.file(f"onnx/model_{name}.onnx").exists() == written


def test_precisions_close_to_float_always_pass(bundle: Bundle) -> None:
    assert {"fp32", "fp16", "bf16", "int8_weight"} <= bundle.manifest.precisions.keys()


def test_each_record_holds_figures_speed_and_what_was_done(bundle: Bundle) -> None:
    for name in bundle.manifest.precisions.keys() & set(FILES):
        record = bundle.manifest.precisions[name]
        assert isinstance(record.parity, dict)
        figures = record.parity
        bounded = [key for key in figures if f"bound.{key}" in figures]
        assert {"mean_kendall_tau.lower_95", "min_kendall_tau"} <= set(bounded)
        assert all(float(figures[key]) >= float(figures[f"bound.{key}"]) for key in bounded)
        assert record.speed is not None
        assert record.speed["texts_per_s_vs_fp32"] > 0
        assert record.graph_work is not None
        assert record.graph_work["method"]


def test_each_precision_gives_the_goldens_again_within_its_own_bound(bundle: Bundle) -> None:
    for name in bundle.manifest.precisions.keys() & set(FILES):
        comparison = self_test(load_encoder(bundle, name), bundle)
        assert 0 < comparison.max_abs_diff <= bundle.goldens.bounds[name].max_abs_diff


def test_each_precision_says_how_far_a_text_moves_with_its_batch(bundle: Bundle) -> None:
    moved = {name: record.moved_by_batch for name, record in bundle.manifest.precisions.items()}
    assert all(moved[name] is not None for name in moved.keys() & set(FILES))
    still = max(moved["fp32"] or 0.0, 1e-6)
    assert (moved["int8_weight"] or 0.0) < 10 * still
    # The range of a batch's activations is that of all its texts.
    if "int8" in moved:
        assert (moved["int8"] or 0.0) > 100 * still


def test_digest_is_that_of_the_bundle_without_them(
    bundle: Bundle, models: Any, export: Callable[..., Bundle]
) -> None:
    plain = export(models.cross(1) if bundle.manifest.rerank else models.embedding("mean"))
    assert bundle.manifest.digest == plain.manifest.digest


def test_hint_is_a_record_without_a_file_and_checks_pass_it_over(bundle: Bundle) -> None:
    record = bundle.manifest.precisions["bf16"]
    assert (record.file, record.hint, record.parity) == (
        "onnx/model.onnx",
        "bf16",
        "not measured",
    )
    with pytest.raises(UsageError, match="'bf16' is a hint to another engine"):
        load_encoder(bundle, "bf16")
    _, findings = check_bundle(bundle.path, print)
    assert "bf16" not in [finding.precision for finding in findings]


def test_weights_are_held_in_the_bits_named(bundle: Bundle) -> None:
    for name, bits in (("int8_weight", 8), ("int4_weight", 4)):
        if name in bundle.manifest.precisions:
            nodes = onnx.load(bundle.file(f"onnx/model_{name}.onnx")).graph.node
            found = [node for node in nodes if node.op_type == "MatMulNBits"]
            assert found
            for node in found:
                (held,) = [row.i for row in node.attribute if row.name == "bits"]
                assert held == bits


def test_basis_stays_a_plain_graph_of_float32(bundle: Bundle) -> None:
    nodes = onnx.load(bundle.file("onnx/model.onnx")).graph.node
    assert {node.domain for node in nodes} <= {"", "ai.onnx"}


def test_refused_precision_leaves_the_bundle_the_others_and_exit_status_3(
    models: Any, sample: Sample, tmp_path: Path
) -> None:
    """Scores that lie on a hair's breadth lose their order in 4 bits."""
    folder, out = models.embedding("cls"), tmp_path / "out"
    request = Request(
        ModelFolder(folder, folder.name), out, sample, precisions=("int4_weight", "fp16")
    )
    with pytest.raises(PrecisionsRefused, match=r"int4_weight: .* was not written") as refused:
        export_model(request, print)
    bundle = open_bundle(out)
    assert bundle.manifest.precisions.keys() == {"fp32", "fp16"}
    assert bundle.manifest == refused.value.manifest
    assert isinstance(refused.value, GateFailed)
    assert refused.value.exit_status == 3
    assert list(out.glob("onnx/*int4*")) == []


def test_what_was_written_is_what_the_manifest_says(bundle: Bundle) -> None:
    text = (bundle.path / "manifest.json").read_text()
    assert Manifest.parse(text) == bundle.manifest
    written = {path.name for path in bundle.path.glob("onnx/*")}
    named = {Path(file).name for row in bundle.manifest.precisions.values() for file in row.files}
    assert written == named


def test_static_graph_does_not_move_with_a_texts_company(bi: tuple[Bundle, str]) -> None:
    bundle, _ = bi
    if "int8_static" not in bundle.manifest.precisions:
        pytest.skip("int8_static did not pass the gate on this machine")
    encoder = load_encoder(bundle, "int8_static")
    texts = list(bundle.goldens.passages)
    alone = np.concatenate([encoder.encode([text], "passage") for text in texts])  # type: ignore[union-attr]
    together = encoder.encode(texts, "passage")  # type: ignore[union-attr]
    assert np.abs(alone - together).max() < 1e-5


def test_graph_that_no_tool_can_convert_refuses_that_precision_alone(
    models: Any, export: Callable[..., Bundle], sample: Sample, tmp_path: Path
) -> None:
    folder = models.embedding("mean")
    original = load_reference(read_spec(ModelFolder(folder, folder.name), Options()))
    shutil.copytree(export(folder).path, tmp_path / "copy")
    bundle = open_bundle(tmp_path / "copy")
    bench = Workbench(bundle, compute_probes(original, sample), print)
    assert bench.materials
    bundle.file("onnx/model.onnx").write_bytes(b"no graph")
    with pytest.raises(GateFailed, match=r"-normalize, fp16: the graph cannot be converted: "):
        bench.add("fp16")
    assert not bundle.file("onnx/model_fp16.onnx").exists()
