from pathlib import Path
from typing import Any

import pytest
import tokenizers
from sentence_transformers.base.modules import Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Pooling,
    StaticEmbedding,
    WordWeights,
)
from tokenizers import models, pre_tokenizers
from torch import nn

from bicross.errors import UnsupportedArchitecture
from onnx_export.reference.pipeline import backend, entry, pipeline, set_longest, width

pytestmark = pytest.mark.torch


def static(dimensions: int = 8) -> Any:
    pieces = tokenizers.Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))  # noqa: S106
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    return StaticEmbedding(pieces, embedding_dim=dimensions)


def transformer(models: Any) -> Any:
    return Transformer(str(Path(models.embedding("mean"))))


def test_routers_are_replaced_by_the_route_of_a_task() -> None:
    first, second, dense, last = static(), static(), Dense(8, 4), Normalize()
    inner = Router({"query": [dense], "document": [Dense(8, 4)]})
    model = nn.Sequential(Router({"query": [first, inner], "document": [second]}), last)
    assert pipeline(model, "query") == [first, dense, last]
    assert pipeline(model, "document") == [second, last]


def test_width_is_the_last_modules_that_states_one() -> None:
    assert width([static(8), Normalize()]) == 8
    assert width([static(8), Dense(8, 4), Normalize()]) == 4


def test_static_embedding_is_cut_where_the_bundle_will_be() -> None:
    taker = static()
    set_longest(taker, 3)
    assert len(taker.tokenizer.encode("a b a b a", add_special_tokens=False)) == 3


def test_tokenizer_of_a_bundle_neither_cuts_nor_pads(models: Any) -> None:
    found = backend(transformer(models), "model")
    assert found.truncation is None
    assert found.padding is not None
    assert found.padding["pad_id"] == 0


def test_tokenizer_that_cuts_on_the_left_is_refused(models: Any) -> None:
    taker = transformer(models)
    taker.tokenizer.truncation_side = "left"
    with pytest.raises(UnsupportedArchitecture, match=r"model: its tokenizer cuts .* on the left"):
        backend(taker, "model")
    pieces = static()
    pieces.tokenizer.enable_truncation(4, direction="left")
    with pytest.raises(UnsupportedArchitecture, match="set truncation_side to right"):
        backend(pieces, "model")


def test_text_may_enter_no_other_module() -> None:
    with pytest.raises(UnsupportedArchitecture, match="model: WordWeights takes the text"):
        entry([WordWeights(["a"], {"a": 1.0}), Pooling(8)], "model")


def test_transformer_that_gives_no_token_embeddings_is_refused(models: Any) -> None:
    taker = transformer(models)
    taker.modality_config = {"image": {"method": "get_image_features"}}
    with pytest.raises(UnsupportedArchitecture, match="BertModel gives no token embeddings"):
        entry([taker], "model")
