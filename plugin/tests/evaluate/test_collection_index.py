"""A collection's own index: its name, its fields, the models that fit."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from bicross.cluster.config import IndexName
from bicross.cluster.served import Catalog, parse_catalog
from bicross.errors import UsageError
from bicross.evaluate.collection_index import chosen_model, index_name, index_table
from bicross.evaluate.dataset import Collection

EXAMPLE = Path(__file__).parents[2] / "protocol" / "examples" / "models.response.json"
MODELS: list[dict[str, Any]] = json.loads(EXAMPLE.read_text())["data"]


def catalog(*models: dict[str, Any]) -> Catalog:
    urls = [{"url": "http://a", "answers": True, "serves": models}]
    return parse_catalog(
        {"nodes": {"a": {"name": "n", "endpoints": [{"name": "e", "models": [], "urls": urls}]}}}
    )


def named(folder: str) -> Collection:
    return Collection(folder, Path("corpus.jsonl"), 0, {}, {}, 0)


def test_the_only_model_of_a_task_is_taken() -> None:
    assert chosen_model(catalog(*MODELS), None, "rerank", "--cross").name == "ms-marco"


def test_several_models_of_a_task_ask_for_a_choice() -> None:
    two = catalog(*MODELS, {**MODELS[0], "id": "e5"})
    with pytest.raises(UsageError, match=r"e5, minilm; choose one by --bi"):
        chosen_model(two, None, "text_embedding", "--bi")
    assert chosen_model(two, "e5", "text_embedding", "--bi").name == "e5"


def test_no_model_of_a_task_says_what_to_start() -> None:
    with pytest.raises(UsageError, match="no model of the task rerank"):
        chosen_model(catalog(MODELS[0]), None, "rerank", "--cross")


@pytest.mark.parametrize("folder", ["cranfield", "MS MARCO_sample", "über/π", "-.-", "x" * 300])
def test_any_folder_gives_a_name_that_elasticsearch_takes(folder: str) -> None:
    model = chosen_model(catalog(*MODELS), None, "text_embedding", "--bi")
    name = index_name(named(folder), model)
    TypeAdapter(IndexName).validate_python(name)
    assert name.startswith("bicross-eval-")


def test_two_bundles_have_two_indices() -> None:
    first = chosen_model(catalog(*MODELS), None, "text_embedding", "--bi")
    other = catalog({**MODELS[0], "digest": "ab" * 32})
    second = chosen_model(other, None, "text_embedding", "--bi")
    for folder in ("cranfield", "x" * 300):
        assert index_name(named(folder), first) != index_name(named(folder), second)


def test_words_go_to_bm25_and_their_join_to_the_models() -> None:
    table = index_table(chosen_model(catalog(*MODELS), None, "text_embedding", "--bi"))
    assert (
        table.properties["title"]
        == table.properties["text"]
        == {
            "type": "text",
            "analyzer": "english",
        }
    )
    assert [pair.input_field for pair in table.input_output] == ["passage"]
    assert (table.model, table.replicas) == ("minilm@1f3a9c4b2d10", 0)
