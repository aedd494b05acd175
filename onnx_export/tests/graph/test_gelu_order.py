from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from onnx_export.graph.gelu_order import order_gelu
from onnx_export.precision.fusion import fused_at_load

WIDTH = 64


def gelu(*, half: float = 0.5, erf_of: str = "x", shared: bool = False) -> onnx.ModelProto:
    """As torch's exporter writes it: x * (half * (1 + erf(x / sqrt 2)))."""
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["doubled"]),
        helper.make_node("Div", [erf_of, "root"], ["scaled"]),
        helper.make_node("Erf", ["scaled"], ["erf"]),
        helper.make_node("Add", ["erf", "one"], ["shifted"]),
        helper.make_node("Mul", ["half", "shifted"], ["inner"]),
        helper.make_node("Mul", ["x", "inner"], ["gelu"]),
        helper.make_node("Add", ["gelu", "inner" if shared else "doubled"], ["y"]),
    ]
    numbers = {"two": 2.0, "root": 2.0**0.5, "one": 1.0, "half": half}
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in numbers.items()
    ]
    sizes: list[str | int | None] = ["batch", WIDTH]
    graph = helper.make_graph(
        nodes,
        "gelu",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sizes)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(["y"], {"x": x})[0])


def test_reordered_gelu_gives_the_very_same_numbers_and_is_fused(tmp_path: Path) -> None:
    plain, ordered = gelu(), gelu()
    assert order_gelu(ordered) == 1
    x = np.random.default_rng(1).normal(size=(50, WIDTH)).astype(np.float32)
    assert (run(plain, x) == run(ordered, x)).all()
    for model, fused in ((plain, ""), (ordered, "1 Gelu")):
        onnx.save_model(model, tmp_path / "model.onnx")
        assert fused_at_load(tmp_path / "model.onnx") == fused
    assert all(node.domain == "" for node in ordered.graph.node)


@pytest.mark.parametrize(
    "other",
    [gelu(half=0.25), gelu(erf_of="doubled"), gelu(shared=True)],
    ids=["another factor", "erf of another tensor", "a product that others read"],
)
def test_what_is_no_gelu_stays_as_it_is(other: onnx.ModelProto) -> None:
    before = other.SerializeToString()
    assert order_gelu(other) == 0
    assert other.SerializeToString() == before


def test_weights_in_a_file_of_their_own_are_not_read(tmp_path: Path) -> None:
    """A large model's file of weights may lie elsewhere while its graph is put in order."""
    model = gelu()
    norm = np.full(1024, 0.5, np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(norm, "norm.weight"))
    path = tmp_path / "model.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="model.onnx.data")
    assert order_gelu(onnx.load(path, load_external_data=False)) == 1
