from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentence_transformers
import tokenizers
from sentence_transformers.base.modules import Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tokenizers import models as pieces_models
from tokenizers import pre_tokenizers

from bicross.bundle.sequences import Sequences
from bicross.errors import UnsupportedArchitecture
from onnx_export.reference.embedding import EmbeddingReference
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec

pytestmark = pytest.mark.torch


def static(dimensions: int, *words: str) -> Any:
    vocabulary = {word: index for index, word in enumerate(("[UNK]", *words))}
    pieces = tokenizers.Tokenizer(pieces_models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    return StaticEmbedding(pieces, embedding_dim=dimensions)


def load(folder: Path, *modules: Any, **options: Any) -> EmbeddingReference:
    model = sentence_transformers.SentenceTransformer(modules=list(modules), device="cpu")
    model.save(str(folder), create_model_card=False)
    spec = read_spec(ModelFolder(folder, "org/model"), Options(**options))
    reference = load_reference(spec)
    assert isinstance(reference, EmbeddingReference)
    return reference


def routed(query: Any, passage: Any) -> Router:
    return Router({"query": query, "document": passage})


def test_routes_that_end_in_different_dimensions_are_refused(tmp_path: Path) -> None:
    router = routed([static(8, "a")], [static(4, "b")])
    with pytest.raises(UnsupportedArchitecture, match=r"queries have 8 .* and passages 4"):
        load(tmp_path / "model", router)


def test_query_tokenizer_of_its_own_is_written_beside_the_passages(tmp_path: Path) -> None:
    found = load(tmp_path / "model", routed([static(4, "a", "b")], [static(4, "b")]))
    assert found.sequences == {
        "query": Sequences(tokenizer="query_tokenizer.json", special_tokens=False),
        "passage": Sequences(special_tokens=False),
    }
    found.write_tokenizer_and_config(tmp_path)
    sizes = [
        tokenizers.Tokenizer.from_file(str(tmp_path / name)).get_vocab_size()
        for name in ("query_tokenizer.json", "tokenizer.json")
    ]
    assert sizes == [3, 2]


def test_one_tokenizer_serves_both_sides_where_they_cut_alike(tmp_path: Path) -> None:
    found = load(tmp_path / "model", routed([static(4, "a")], [static(4, "a")]), max_tokens=9)
    assert found.sequences is not None
    assert found.sequences["query"].tokenizer is None


def test_routes_that_pad_on_different_sides_are_refused(tmp_path: Path, models: Any) -> None:
    base = str(models.embedding("mean"))
    sides = [[Transformer(base), Pooling(32, "mean")] for _ in range(2)]
    found = load(tmp_path / "model", routed(*sides))
    taker: Any = found.entry("query")
    taker.tokenizer.padding_side = "left"
    with pytest.raises(UnsupportedArchitecture, match="pad on different sides"):
        _ = found.padding_side


@pytest.mark.parametrize(("normalize", "length"), [(True, 1.0), (False, None)])
def test_cut_vectors_have_unit_length_again_where_the_models_have(
    tmp_path: Path, normalize: bool, length: float | None
) -> None:
    modules = [static(8, "a", "b"), *([Normalize()] if normalize else [])]
    found = load(tmp_path / "model", *modules, dimensions=4)
    vectors = found.vectors(["a b", "b"], "passage")
    assert vectors.shape == (2, 4)
    lengths = np.linalg.norm(vectors, axis=1)
    whole = found.model.encode(["a b", "b"])
    expected = [length] * 2 if length else np.linalg.norm(whole[:, :4], axis=1)
    assert lengths == pytest.approx(expected, abs=1e-6)


def test_static_embedding_in_half_precision_computes_in_float32(tmp_path: Path) -> None:
    half = static(4, "a").half()
    found = load(tmp_path / "model", half)
    assert found.vectors(["a"], "query").dtype == np.float32
    (weights,) = (table for table in found.model.parameters())
    assert weights.dtype.is_floating_point
    assert weights.element_size() == 4
