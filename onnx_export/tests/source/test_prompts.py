import json
from pathlib import Path
from typing import Any

import pytest

from onnx_export.source.prompts import PromptChoice, read_prompts


def folder(tmp_path: Path, prompts: dict[str, Any], default: str | None = None) -> Path:
    saved = {"prompts": prompts, "default_prompt_name": default}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(saved))
    return tmp_path


@pytest.mark.parametrize(
    ("prompts", "query", "passage"),
    [
        ({"query": "query: ", "passage": "passage: "}, "query: ", "passage: "),
        ({"query": "q ", "document": "d ", "passage": "p "}, "q ", "d "),
        ({"search_query": "sq: ", "search_document": "sd: "}, "sq: ", "sd: "),
        ({"query": "Represent: ", "document": ""}, "Represent: ", ""),
        ({"query": "", "document": "", "passage": "passage: "}, "", "passage: "),
        ({"clustering": "c: "}, "", ""),
        ({"query": None}, "", ""),
    ],
)
def test_saved_prompts_are_found_by_name(
    tmp_path: Path, prompts: dict[str, Any], query: str, passage: str
) -> None:
    choices = read_prompts(folder(tmp_path, prompts))
    assert (choices.query.text, choices.passage.text) == (query, passage)


def test_default_prompt_stands_in_for_an_input_type_without_its_own(tmp_path: Path) -> None:
    choices = read_prompts(folder(tmp_path, {"sts": "sts: ", "query": "q: "}, default="sts"))
    assert choices.query == PromptChoice("q: ", "query")
    assert choices.passage == PromptChoice("sts: ", "sts")


def test_callers_prompt_wins_even_when_empty(tmp_path: Path) -> None:
    saved = folder(tmp_path, {"query": "q: ", "document": "d: "})
    choices = read_prompts(saved, query="", passage="mine: ")
    assert choices.query == PromptChoice("")
    assert choices.passage == PromptChoice("mine: ")


def test_folder_without_prompts_has_none(tmp_path: Path) -> None:
    texts = read_prompts(tmp_path).texts
    assert (texts.query, texts.passage) == ("", "")
