"""A late-interaction folder is found in each of its layouts, or refused with the part's name."""

import json
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle.heads import LateInteraction, Prompts
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import ModelSpec, Options, read_spec

BERT = {"architectures": ["BertModel"], "model_type": "bert", "max_position_embeddings": 512}
BASE = "sentence_transformers.base.modules."
OWN = "sentence_transformers.multi_vector_encoder.modules."
TRANSFORMER = f"{BASE}transformer.Transformer"
DENSE = f"{BASE}dense.Dense"
MASK = f"{OWN}multi_vector_mask.MultiVectorMask"
NORMALIZE = f"{BASE}normalize.Normalize"
POOLING = f"{OWN}token_pooling.HierarchicalTokenPooling"
PYLATE = ["sentence_transformers.models.Transformer", "pylate.models.Dense.Dense"]


def spec(
    path: Path, types: list[str], saved: dict[str, Any], task: Any = None, **config: Any
) -> ModelSpec:
    (path / "config.json").write_text(json.dumps(BERT | config))
    rows = [
        {"idx": number, "path": "" if number == 0 else f"{number}_Part", "type": name}
        for number, name in enumerate(types)
    ]
    if rows:
        (path / "modules.json").write_text(json.dumps(rows))
    (path / "config_sentence_transformers.json").write_text(json.dumps(saved))
    return read_spec(ModelFolder(path, path.name), Options(task=task))


@pytest.mark.parametrize(
    ("types", "saved", "config"),
    [
        ([TRANSFORMER, DENSE, MASK, NORMALIZE], {"model_type": "MultiVectorEncoder"}, {}),
        (PYLATE, {"model_type": "ColBERT"}, {}),
        (PYLATE, {"query_prefix": "[Q] "}, {}),
        ([], {}, {"architectures": ["HF_ColBERT"]}),
    ],
    ids=["own", "pylate", "pylate without a type", "stanford"],
)
def test_each_layout_is_found(
    types: list[str], saved: dict[str, Any], config: dict[str, Any], tmp_path: Path
) -> None:
    found = spec(tmp_path, types, saved, **config)
    assert found.task == "late_interaction"
    assert isinstance(found.head, LateInteraction)


def test_saved_prompts_are_read(tmp_path: Path) -> None:
    saved = {"model_type": "MultiVectorEncoder", "prompts": {"query": "[Q] ", "document": "[D] "}}
    found = spec(tmp_path, [TRANSFORMER, DENSE, MASK], saved)
    assert found.prompts.texts == Prompts(query="[Q] ", passage="[D] ")


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([TRANSFORMER, DENSE, MASK, POOLING], "HierarchicalTokenPooling merges .*take it out"),
        ([TRANSFORMER, MASK, NORMALIZE], "hold no Dense"),
        ([TRANSFORMER, DENSE, f"{BASE}router.Router"], "module .*Router; exported are Transformer"),
        ([TRANSFORMER, DENSE, "my.code.Dense"], r"module my\.code\.Dense; exported are"),
    ],
    ids=["token pooling", "no projection", "router", "foreign"],
)
def test_other_modules_are_refused_by_name(types: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match=message):
        spec(tmp_path, types, {"model_type": "MultiVectorEncoder"})


def test_plain_transformer_is_refused_since_its_projection_would_be_random(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match="has no projection of its token vectors"):
        spec(tmp_path, [], {}, task="late_interaction")


def test_model_of_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match="ColPaliForRetrieval embeds pictures"):
        spec(
            tmp_path,
            [],
            {"model_type": "MultiVectorEncoder"},
            architectures=["ColPaliForRetrieval"],
        )
