"""A model whose code is in its own repository: refused, and with the flag exported like any other.

The code is a folder beside this file, put into the model's folder as its authors would.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle import Bundle
from bicross.errors import RemoteCodeRefused
from bicross.runtime import BiEncoder
from bicross.runtime import CrossEncoder as Scorer
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.regate import run_gate_again
from onnx_export.source.hub import find_model
from onnx_export.source.spec import Options
from onnx_export.tests.matrix.vocabularies import Vocabularies
from onnx_export.tests.matrix.workshop import draw
from onnx_export.tests.own_code.configuration_rotary import RotaryConfig
from onnx_export.tests.own_code.modeling_rotary import RotaryForSequenceClassification, RotaryModel

pytestmark = pytest.mark.torch
CODE = Path(__file__).with_name("own_code")
TRUSTED = Options(trust_remote_code=True)
Export = Callable[..., Bundle]


def write(folder: Path, model: Any, auto: str) -> Path:
    """A folder as the hub has them: weights, tokenizer, code, and where in it the classes are."""
    name = type(model).__name__
    model.config.auto_map = {
        "AutoConfig": "configuration_rotary.RotaryConfig",
        auto: f"modeling_rotary.{name}",
    }
    draw(model, 0.4).save_pretrained(folder)
    Vocabularies().bert.save_pretrained(folder)
    for file in CODE.glob("*.py"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "own-encoder"
    return write(folder, RotaryModel(RotaryConfig()), "AutoModel")


@pytest.fixture(scope="session")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "own-reranker"
    model = RotaryForSequenceClassification(RotaryConfig(num_labels=1))
    return write(folder, model, "AutoModelForSequenceClassification")


def test_code_of_its_own_is_refused_by_model_class_and_flag(reranker: Path) -> None:
    with pytest.raises(RemoteCodeRefused) as refused:
        find_model(str(reranker), trust_remote_code=False)
    said = str(refused.value)
    assert said.startswith("own-reranker needs code from its own repository (auto_map of config")
    assert "AutoModelForSequenceClassification" in said
    assert said.endswith("read that code, then pass --trust-remote-code")


def test_code_is_not_run_before_it_is_trusted(reranker: Path, tmp_path: Path) -> None:
    """Even by a caller that skipped the first question."""
    folder = tmp_path / "trap"
    shutil.copytree(reranker, folder)
    (folder / "configuration_rotary.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(RemoteCodeRefused):
        find_model(str(folder), trust_remote_code=False)
    assert not (tmp_path / "ran").exists()


def test_trusted_encoder_gives_the_vectors_of_the_original(
    encoder: Path, export: Export, sample: Sample
) -> None:
    options = Options(trust_remote_code=True, task="text_embedding")
    bundle = export(encoder, options)
    original = SentenceTransformer(str(encoder), device="cpu", trust_remote_code=True)
    ours = BiEncoder.load(bundle, threads=1).encode(sample.passages, "passage")
    assert np.abs(ours - original.encode_document(list(sample.passages))).max() < 1e-5


def test_trusted_reranker_gives_the_scores_of_the_original(
    reranker: Path, export: Export, sample: Sample
) -> None:
    bundle = export(reranker, TRUSTED)
    original = CrossEncoder(str(reranker), device="cpu", trust_remote_code=True)
    query = sample.queries[0]
    ours = Scorer.load(bundle, threads=1).score(query, sample.passages)
    theirs = original.predict([(query, passage) for passage in sample.passages])
    assert np.abs(1 / (1 + np.exp(-ours)) - theirs).max() < 1e-5


def test_bundle_holds_no_code(reranker: Path, export: Export) -> None:
    bundle = export(reranker, TRUSTED)
    assert not list(bundle.path.rglob("*.py"))
    assert not [name for name in bundle.manifest.files if name.endswith(".py")]


def test_gate_runs_again_only_with_the_code_trusted(
    reranker: Path, export: Export, sample: Sample, narrate: Callable[[str], None]
) -> None:
    bundle = export(reranker, TRUSTED)
    folder = find_model(str(reranker), trust_remote_code=True)
    figures = run_gate_again(bundle, folder, sample, narrate, trust_remote_code=True)
    assert figures["min_kendall_tau"] == 1.0
