"""Graphs that want more or other inputs than ids and masks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.graph_inputs import complete_inputs
from onnx_export.adopt.onnx_folder import OnnxGraph, open_graph

MASK = np.array([[1, 1, 1, 0], [0, 0, 1, 1]], np.int64)


def graph(folder: Path, inputs: Mapping[str, int], opset: int = 17) -> OnnxGraph:
    """Its output is its last input as int64."""
    values = [
        helper.make_tensor_value_info(name, kind, ["batch", "length"])
        for name, kind in inputs.items()
    ]
    last = list(inputs)[-1]
    output = helper.make_tensor_value_info("logits", TensorProto.INT64, ["batch", "length"])
    node = helper.make_node("Cast", [last], ["logits"], to=TensorProto.INT64)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        helper.make_graph([node], "g", values, [output]), opset_imports=opsets, ir_version=8
    )
    onnx.save_model(model, folder / "model.onnx")
    return open_graph(folder)


def run(opened: OnnxGraph, **feeds: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(opened.model.SerializeToString())
    return np.asarray(session.run(["logits"], feeds)[0])


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32])
def test_positions_are_counted_over_what_is_not_padding(tmp_path: Path, kind: int) -> None:
    opened = graph(tmp_path, {"attention_mask": TensorProto.INT64, "position_ids": kind})
    assert complete_inputs(opened, "qwen3") == ("attention_mask",)
    found = run(opened, attention_mask=MASK)
    assert found[0, :3].tolist() == [0, 1, 2]
    assert found[1, 2:].tolist() == [0, 1]


def test_narrow_inputs_are_widened(tmp_path: Path) -> None:
    opened = graph(tmp_path, {"input_ids": TensorProto.INT32})
    assert complete_inputs(opened, None) == ("input_ids",)
    assert np.array_equal(run(opened, input_ids=MASK), MASK)


def test_positions_that_begin_after_the_padding_token_are_refused(tmp_path: Path) -> None:
    inputs = {"attention_mask": TensorProto.INT64, "position_ids": TensorProto.INT64}
    with pytest.raises(UnsupportedArchitecture, match="position_ids, which for roberta"):
        complete_inputs(graph(tmp_path, inputs), "roberta")


@pytest.mark.parametrize(
    ("name", "kind", "advice"),
    [
        ("pixel_values", TensorProto.FLOAT, ""),
        ("attention_mask", TensorProto.FLOAT, ""),
        ("past_key_values.0.key", TensorProto.FLOAT, "use_cache=False"),
    ],
)
def test_input_that_the_runtime_does_not_give_is_named(
    tmp_path: Path, name: str, kind: int, advice: str
) -> None:
    opened = graph(tmp_path, {"input_ids": TensorProto.INT64, name: kind})
    with pytest.raises(UnsupportedArchitecture, match=f"has the input {name};.*{advice}"):
        complete_inputs(opened, "bert")
