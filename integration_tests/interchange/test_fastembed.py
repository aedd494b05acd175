"""The folder as a custom model. fastembed knows no prompts, so that its caller sets them before."""

# ruff: noqa: ANN401  the library is not installed where this is linted
import importlib
from typing import Any

import numpy as np

library: Any = importlib.import_module("fastembed")
rerankers: Any = importlib.import_module("fastembed.rerank.cross_encoder")
descriptions: Any = importlib.import_module("fastembed.common.model_description")


def source_of(bundle: Any) -> tuple[str, Any]:
    """A source must be named; with a path of its own it is never asked."""
    name = f"bicross/{bundle.path.name}-{bundle.precision}"
    return name, descriptions.ModelSource(hf=name)


def test_vectors_are_those_of_the_bundle(embedding: Any) -> None:
    name, source = source_of(embedding)
    library.TextEmbedding.add_custom_model(
        model=name,
        sources=source,
        model_file=embedding.file,
        dim=embedding.manifest["embedding"]["dimensions"],
        pooling=descriptions.PoolingType.DISABLED,
        normalization=False,
        output_name=embedding.manifest["graph"]["output"],
    )
    model = library.TextEmbedding(name, specific_model_path=str(embedding.path))
    sides = {"queries_out": ("query", embedding.queries)}
    sides["passages_out"] = ("passage", embedding.passages)
    found = {
        output: np.stack(list(model.embed([embedding.prompt(kind) + text for text in texts])))
        for output, (kind, texts) in sides.items()
    }
    embedding.require(found, "fastembed")


def test_logits_are_those_of_the_bundle(rerank: Any) -> None:
    name, source = source_of(rerank)
    rerankers.TextCrossEncoder.add_custom_model(model=name, sources=source, model_file=rerank.file)
    model = rerankers.TextCrossEncoder(name, specific_model_path=str(rerank.path))
    rows = [list(model.rerank(query, rerank.passages)) for query in rerank.queries]
    rerank.require({"scores": np.array(rows, np.float32)}, "fastembed")
