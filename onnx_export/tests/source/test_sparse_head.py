"""A sparse encoder's folder is read, or refused with the part that is not exported."""

import json
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle.heads import Prompts, Sparse
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import ModelSpec, Options, read_spec

PARTS = "sentence_transformers.sparse_encoder.modules."
BERT = {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "max_position_embeddings": 512,
}
SAVED = {"model_type": "SparseEncoder"}


def folder(path: Path, *kinds: str, saved: dict[str, Any] | None = None) -> ModelFolder:
    (path / "config.json").write_text(json.dumps(BERT))
    rows = [
        {"idx": number, "path": "" if number == 0 else f"{number}_{kind}", "type": PARTS + kind}
        for number, kind in enumerate(kinds)
    ]
    if rows:
        (path / "modules.json").write_text(json.dumps(rows))
    if saved is not None:
        (path / "config_sentence_transformers.json").write_text(json.dumps(saved))
    return ModelFolder(path, path.name)


def spec(path: Path, *kinds: str, **saved: Any) -> ModelSpec:
    return read_spec(folder(path, *kinds, saved=SAVED | saved), Options())


@pytest.mark.parametrize("first", ["Transformer", "MLMTransformer"])
def test_folder_of_a_sparse_encoder_is_found(first: str, tmp_path: Path) -> None:
    found = spec(tmp_path, first, "SpladePooling", prompts={"query": "q: "}, max_active_dims=64)
    assert found.task == "sparse_embedding"
    assert found.head == Sparse(dimensions=1, prompts=Prompts(query="q: "), max_active=64)
    assert found.max_tokens == 512


def test_plain_masked_language_model_is_sparse_where_it_is_said(tmp_path: Path) -> None:
    plain = folder(tmp_path)
    with pytest.raises(UnsupportedArchitecture, match="--task sparse_embedding"):
        read_spec(plain, Options())
    assert read_spec(plain, Options(task="sparse_embedding")).task == "sparse_embedding"


def test_queries_may_go_through_a_table(tmp_path: Path) -> None:
    router: dict[str, Any] = {
        "types": {
            "query_0_SparseStaticEmbedding": PARTS + "SparseStaticEmbedding",
            "document_0_Transformer": PARTS + "Transformer",
            "document_1_SpladePooling": PARTS + "SpladePooling",
        },
        "structure": {
            "query": ["query_0_SparseStaticEmbedding"],
            "document": ["document_0_Transformer", "document_1_SpladePooling"],
        },
        "parameters": {},
    }
    for part in router["types"]:
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text(json.dumps(BERT))
    (tmp_path / "router_config.json").write_text(json.dumps(router))
    found = spec(tmp_path, "Router")
    assert found.routes["query"].kinds == ("SparseStaticEmbedding",)
    assert found.routes["passage"].kinds == ("Transformer", "SpladePooling")


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (("Transformer", "Pooling", "SparseAutoEncoder"), "SparseAutoEncoder gives dimensions"),
        (("Transformer", "Pooling"), "goes through Transformer, Pooling; exported are"),
        (("Transformer", "SpladePooling", "Dense"), "Transformer, SpladePooling, Dense"),
        (("Transformer",), "goes through Transformer; exported are"),
    ],
    ids=["autoencoder", "pooling", "dense", "transformer"],
)
def test_other_modules_are_refused_by_name(
    kinds: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedArchitecture, match=message):
        spec(tmp_path, *kinds)


@pytest.mark.parametrize("name", ["cosine", "euclidean", "manhattan"])
def test_similarity_that_an_index_does_not_compute_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match=f"'{name}'.*set similarity_fn_name to dot"):
        spec(tmp_path, "Transformer", "SpladePooling", similarity_fn_name=name)


@pytest.mark.parametrize(
    ("option", "value"), [("label", "1"), ("dimensions", 8), ("matryoshka", (8,))]
)
def test_options_of_other_tasks_are_refused(option: str, value: Any, tmp_path: Path) -> None:
    options = Options(**{option: value})
    with pytest.raises(UsageError, match=f"--{option} has no meaning for task sparse_embedding"):
        read_spec(folder(tmp_path, "Transformer", "SpladePooling", saved=SAVED), options)
