"""The graph of a classifier, traced small, gives its configuration back."""

from collections.abc import Callable
from typing import Any

import pytest

from bicross.bundle import Bundle
from onnx_export.adopt.graph_config import config_from_graph
from onnx_export.adopt.onnx_folder import open_graph
from onnx_export.source.model_files import read_json

pytestmark = pytest.mark.torch
KEPT = (
    "architectures",
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "type_vocab_size",
    "vocab_size",
)


def test_config_is_completed_from_the_shapes(models: Any, export: Callable[..., Bundle]) -> None:
    folder = models.cross(1)
    found = config_from_graph(open_graph(export(folder).path), "rerank")
    own = read_json(folder, "config.json")
    assert {key: found[key] for key in KEPT} == {key: own[key] for key in KEPT}
    assert found["id2label"] == {"0": "LABEL_0"}
