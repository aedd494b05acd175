import json
from pathlib import Path
from typing import Any

import pytest

from bicross.errors import MissingFile, UnsupportedArchitecture
from onnx_export.source.model_files import (
    Module,
    read_activation,
    read_config,
    read_json,
    read_labels,
    read_max_tokens,
    read_modules,
    read_pooling,
    read_similarity,
)


def write(folder: Path, name: str, value: Any) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


IDENTITY = "torch.nn.modules.linear.Identity"
POOLING = Module("Pooling", "sentence_transformers.models.Pooling", "1_Pooling")


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, "cls+mean"),
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
        ({"pooling_mode": ["max", "mean"]}, "max+mean"),
        ({}, "mean"),
    ],
)
def test_pooling_is_read_from_old_and_new_folders(
    tmp_path: Path, config: dict[str, Any], mode: str
) -> None:
    write(tmp_path, "1_Pooling/config.json", config)
    assert read_pooling(tmp_path, POOLING) == (mode, True)


def test_pooling_that_leaves_out_the_prompt_is_seen(tmp_path: Path) -> None:
    write(tmp_path, "1_Pooling/config.json", {"pooling_mode": "mean", "include_prompt": False})
    assert read_pooling(tmp_path, POOLING) == ("mean", False)


def test_unknown_pooling_is_named(tmp_path: Path) -> None:
    write(tmp_path, "1_Pooling/config.json", {"pooling_mode": "attention"})
    with pytest.raises(UnsupportedArchitecture, match="'attention'"):
        read_pooling(tmp_path, POOLING)


def test_modules_come_in_the_order_of_their_indices(tmp_path: Path) -> None:
    rows = [
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": POOLING.type},
        {"idx": 0, "name": "0", "path": "", "type": "custom_code.Transformer"},
    ]
    first, second = read_modules(write(tmp_path, "modules.json", rows))
    assert first == Module("Transformer", "custom_code.Transformer", "")
    assert first.is_foreign
    assert second == POOLING
    assert not second.is_foreign


@pytest.mark.parametrize("text", ["{}", "[1]", "[{}]", "nothing", '[{"idx": "a"}]'])
def test_broken_modules_are_refused(tmp_path: Path, text: str) -> None:
    rows = write(tmp_path, "modules.json", text)
    if text == "{}":
        assert read_modules(rows) == []
        return
    with pytest.raises(UnsupportedArchitecture, match=r"modules\.json"):
        read_modules(rows)


@pytest.mark.parametrize(
    ("module", "tokenizer", "config", "limit"),
    [
        ({"max_seq_length": 256}, {"model_max_length": 512}, {"max_position_embeddings": 512}, 256),
        ({"max_seq_length": 512}, {"model_max_length": 128}, {"max_position_embeddings": 512}, 512),
        ({}, {"model_max_length": 128}, {"max_position_embeddings": 512}, 128),
        ({}, {"model_max_length": 1e30}, {"max_position_embeddings": 512}, 512),
        ({}, {}, {"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, 512),
        ({"processor_kwargs": {"model_max_length": 96}}, {"model_max_length": 64}, {}, 96),
        ({}, {}, {}, None),
    ],
    ids=["module", "module over tokenizer", "tokenizer", "no limit", "offset", "saved 6", "none"],
)
def test_longest_sequence_is_sentence_transformers_own(
    tmp_path: Path,
    module: dict[str, Any],
    tokenizer: dict[str, Any],
    config: dict[str, Any],
    limit: int | None,
) -> None:
    write(tmp_path, "sentence_bert_config.json", module)
    write(tmp_path, "tokenizer_config.json", tokenizer)
    assert read_max_tokens(tmp_path, config) == limit


@pytest.mark.parametrize(
    ("saved", "config", "labels", "activation"),
    [
        ({}, {}, 1, "sigmoid"),
        ({}, {"sentence_transformers": {"activation_fn": IDENTITY}}, 1, "identity"),
        ({}, {"sbert_ce_default_activation_function": IDENTITY}, 1, "identity"),
        ({"activation_fn": "torch.nn.modules.activation.Sigmoid"}, {}, 1, "sigmoid"),
        ({"activation_fn": IDENTITY}, {}, 1, "identity"),
        ({"activation_fn": IDENTITY}, {}, 3, "softmax"),
    ],
)
def test_activation_is_the_one_that_predict_applies(
    tmp_path: Path, saved: dict[str, Any], config: dict[str, Any], labels: int, activation: str
) -> None:
    write(tmp_path, "config_sentence_transformers.json", saved)
    assert read_activation(tmp_path, config, labels) == activation


@pytest.mark.parametrize("name", ["torch.nn.modules.activation.Tanh", "mine.Identity"])
def test_unknown_activation_is_named(tmp_path: Path, name: str) -> None:
    config = {"sentence_transformers": {"activation_fn": name}}
    with pytest.raises(UnsupportedArchitecture, match=name):
        read_activation(tmp_path, config, 1)


@pytest.mark.parametrize(
    ("named", "normalize", "similarity"),
    [
        (None, False, "cosine"),
        ("cosine", True, "cosine"),
        ("dot", False, "dot_product"),
        ("dot", True, "cosine"),
        ("euclidean", False, "l2_norm"),
    ],
)
def test_similarity_has_elasticsearchs_name(
    tmp_path: Path, named: str | None, normalize: bool, similarity: str
) -> None:
    write(tmp_path, "config_sentence_transformers.json", {"similarity_fn_name": named})
    assert read_similarity(tmp_path, normalize=normalize) == similarity


def test_unknown_similarity_is_named(tmp_path: Path) -> None:
    write(tmp_path, "config_sentence_transformers.json", {"similarity_fn_name": "manhattan"})
    with pytest.raises(UnsupportedArchitecture, match="manhattan"):
        read_similarity(tmp_path, normalize=False)


def test_labels_are_in_the_order_of_their_numbers() -> None:
    names = {str(number): f"label {number}" for number in reversed(range(11))}
    assert read_labels({"id2label": names})[10] == "label 10"
    assert read_labels({}) == ["LABEL_0", "LABEL_1"]
    assert read_labels({"num_labels": 1}) == ["LABEL_0"]


def test_missing_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize("text", ["[", "[1]", "1"])
def test_json_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnsupportedArchitecture, match=r"config\.json"):
        read_json(write(tmp_path, "config.json", text), "config.json")
