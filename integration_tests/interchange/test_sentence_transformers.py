"""The folder as it is, with `backend="onnx"`: prompts, pooling and length from its own files."""

# ruff: noqa: ANN401  the library is not installed where this is linted
import importlib
from typing import Any

import numpy as np
import pytest

library: Any = importlib.import_module("sentence_transformers")
torch: Any = importlib.import_module("torch")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def loaded(kind: str, bundle: Any) -> Any:
    model_kwargs = {"provider": "CPUExecutionProvider", "file_name": bundle.file}
    return getattr(library, kind)(
        str(bundle.path), backend="onnx", device="cpu", model_kwargs=model_kwargs
    )


def test_vectors_are_those_of_the_bundle(embedding: Any) -> None:
    model = loaded("SentenceTransformer", embedding)
    found = {
        "queries_out": model.encode_query(embedding.queries),
        "passages_out": model.encode_document(embedding.passages),
    }
    embedding.require(found, "sentence-transformers")


def test_texts_are_cut_where_the_bundle_cuts_them(embedding: Any) -> None:
    model = loaded("SentenceTransformer", embedding)
    assert model.max_seq_length == embedding.manifest["max_tokens"]


def test_similarity_is_the_bundles(embedding: Any) -> None:
    model = loaded("SentenceTransformer", embedding)
    names = {"cosine": "cosine", "dot_product": "dot", "l2_norm": "euclidean"}
    assert model.similarity_fn_name == names[embedding.manifest["embedding"]["similarity"]]


def test_logits_are_those_of_the_bundle(rerank: Any) -> None:
    model = loaded("CrossEncoder", rerank)
    rows = [
        model.predict(
            [(query, passage) for passage in rerank.passages], activation_fn=torch.nn.Identity()
        )
        for query in rerank.queries
    ]
    rerank.require({"scores": np.array(rows)}, "sentence-transformers")


def test_relevance_is_through_the_models_own_activation(rerank: Any) -> None:
    model = loaded("CrossEncoder", rerank)
    names = {"identity": "Identity", "sigmoid": "Sigmoid"}
    assert type(model.activation_fn).__name__ == names[rerank.manifest["rerank"]["activation"]]
