"""JSON files of another type than their readers expect are refused by file and key."""

import json
from pathlib import Path

import pytest

from bicross.errors import UnsafePath, UnsupportedArchitecture
from onnx_export.source.model_files import read_json, read_modules


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("config.json", "max_position_embeddings", "512"),
        ("config.json", "id2label", ["no", "yes"]),
        ("config.json", "id2label", {"first": "no"}),
        ("config.json", "architectures", "BertModel"),
        ("1_Pooling/config.json", "pooling_mode", {"mean": True}),
        ("1_Pooling/config.json", "include_prompt", "no"),
        ("2_Dense/config.json", "out_features", -1),
        ("config_sentence_transformers.json", "prompts", ["query: "]),
        ("config_sentence_transformers.json", "prompts", {"query": 1}),
        ("sentence_bert_config.json", "max_seq_length", "512"),
        ("sentence_roberta_config.json", "max_seq_length", [512]),
        ("tokenizer_config.json", "model_max_length", "many"),
        ("tokenizer.json", "truncation", {"max_length": "512"}),
        ("tokenizer.json", "added_tokens", [{"content": "[PAD]"}]),
    ],
)
def test_value_of_another_type_is_named_with_file_and_key(
    tmp_path: Path, name: str, key: str, value: object
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({key: value}))
    with pytest.raises(UnsupportedArchitecture, match=rf"{name}, {key}.*save the model anew"):
        read_json(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("config.json", {"id2label": {"0": "no", "1": "yes"}, "pad_token_id": None, "other": [1]}),
        ("tokenizer_config.json", {"model_max_length": 1e30}),
        ("config_sentence_transformers.json", {"prompts": {"document": None, "query": "q: "}}),
        ("unknown.json", {"id2label": 1}),
    ],
)
def test_what_libraries_write_is_let_through_as_it_is(
    tmp_path: Path, name: str, value: dict[str, object]
) -> None:
    (tmp_path / name).write_text(json.dumps(value))
    assert read_json(tmp_path, name) == value


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UnsupportedArchitecture, match=r"config\.json is not JSON"):
        read_json(tmp_path, "config.json")


def test_file_too_large_to_be_a_description_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "tokenizer.json").open("wb") as sparse:
        sparse.truncate((128 << 20) + 1)
    with pytest.raises(UnsupportedArchitecture, match=r"tokenizer\.json is larger than"):
        read_json(tmp_path, "tokenizer.json")


@pytest.mark.parametrize("path", ["../1_Pooling", "/etc", "/", "..", "a/../../b", "a\\b"])
def test_module_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    """Its files would be read from there, and written there beside the bundle."""
    row = {"idx": 0, "path": path, "type": "sentence_transformers.models.Pooling"}
    (tmp_path / "modules.json").write_text(json.dumps([row]))
    with pytest.raises(UnsafePath):
        read_modules(tmp_path)


@pytest.mark.parametrize(("path", "read"), [("", ""), (".", ""), ("1_Pooling/", "1_Pooling")])
def test_module_within_the_folder_is_found(tmp_path: Path, path: str, read: str) -> None:
    row = {"idx": 0, "path": path, "type": "sentence_transformers.models.Pooling"}
    (tmp_path / "modules.json").write_text(json.dumps([row]))
    assert [module.path for module in read_modules(tmp_path)] == [read]
