import json
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle.record import InputType
from bicross.errors import UsageError
from onnx_export.source.limits import STATIC_TOKENS, Limit, read_limit, read_route_limits
from onnx_export.source.model_files import Module
from onnx_export.source.routes import Route


def transformer(folder: Path, name: str, positions: int | None) -> Module:
    place = folder / name
    place.mkdir()
    config: dict[str, Any] = {"max_position_embeddings": positions} if positions else {"x": 1}
    (place / "config.json").write_text(json.dumps(config))
    return Module("Transformer", "sentence_transformers.models.Transformer", name)


def static(folder: Path, name: str, cut: int | None = None) -> Module:
    place = folder / name
    place.mkdir()
    truncation = {"max_length": cut} if cut else None
    (place / "tokenizer.json").write_text(json.dumps({"truncation": truncation}))
    return Module("StaticEmbedding", "sentence_transformers.models.StaticEmbedding", name)


def routes(query: Module, passage: Module) -> dict[InputType, Route]:
    return {"query": Route("query", (query,)), "passage": Route("document", (passage,))}


def test_own_limit_is_kept_without_cutting_the_original(tmp_path: Path) -> None:
    assert read_limit(tmp_path, {"max_position_embeddings": 512}, None) == Limit(512, is_cut=False)


def test_positions_of_padding_are_cut_from_the_original(tmp_path: Path) -> None:
    config = {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    assert read_limit(tmp_path, config, None) == Limit(512, is_cut=True)


def test_longer_than_the_model_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--max-tokens 600: .* takes at most 512"):
        read_limit(tmp_path, {"max_position_embeddings": 512}, 600)


def test_model_that_states_no_limit_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give it with --max-tokens"):
        read_limit(tmp_path, {}, None)


def test_each_route_keeps_its_own_limit(tmp_path: Path) -> None:
    both = routes(transformer(tmp_path, "q", 32), transformer(tmp_path, "p", 64))
    found = read_route_limits(tmp_path, both, None)
    assert (found["query"].max_tokens, found["passage"].max_tokens) == (32, 64)


def test_wanted_limit_holds_where_a_route_takes_as_much(tmp_path: Path) -> None:
    both = routes(transformer(tmp_path, "q", 32), transformer(tmp_path, "p", 64))
    found = read_route_limits(tmp_path, both, 48)
    assert (found["query"].max_tokens, found["passage"].max_tokens) == (32, 48)
    with pytest.raises(UsageError, match="takes at most 64"):
        read_route_limits(tmp_path, both, 65)


def test_static_embedding_without_limit_is_given_one(tmp_path: Path) -> None:
    both = routes(static(tmp_path, "q"), static(tmp_path, "p", 128))
    found = read_route_limits(tmp_path, both, None)
    assert found["query"] == Limit(STATIC_TOKENS, is_cut=True)
    assert found["passage"] == Limit(128, is_cut=False)
