"""Small graphs with one thing in them that a precision must notice."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_export.precision.material import Material

WIDTH = 32
OPSET = 18


def two_products(folder: Path, *, outlier: float = 1.0) -> Material:
    """Ids -> embedding -> product `calm` -> times `outlier` in one column -> product `wild`.

    The second product's activations have one column `outlier` times as wide as the others.
    """
    random = np.random.default_rng(7)
    widths = np.ones(WIDTH, np.float32)
    widths[3] = outlier
    values: dict[str, Any] = {
        "table": random.normal(size=(50, WIDTH)),
        "first": random.normal(size=(WIDTH, WIDTH)),
        "widths": widths,
        "second": random.normal(size=(WIDTH, WIDTH)),
        "layer.dense.bias": random.normal(size=WIDTH),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"], name="embed"),
        helper.make_node("MatMul", ["embedded", "first"], ["calm_out"], name="calm"),
        helper.make_node("Mul", ["calm_out", "widths"], ["widened"], name="widen"),
        helper.make_node("MatMul", ["widened", "second"], ["wild_out"], name="wild"),
        helper.make_node("Add", ["wild_out", "layer.dense.bias"], ["out"], name="add"),
    ]
    return _material(folder, nodes, values, random)


def squared(folder: Path, scale: float) -> Material:
    """Ids -> embedding -> times `scale` -> squared -> its square root's product: inner numbers
    grow with the square of `scale`, the output does not.
    """
    random = np.random.default_rng(9)
    values: dict[str, Any] = {
        "table": random.normal(size=(50, WIDTH)),
        "scale": np.array(scale),
        "back": np.array(1 / scale),
        "weight": random.normal(size=(WIDTH, WIDTH)),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"], name="embed"),
        helper.make_node("Mul", ["embedded", "scale"], ["scaled"], name="enlarge"),
        helper.make_node("Mul", ["scaled", "scaled"], ["square"], name="square"),
        helper.make_node("Sqrt", ["square"], ["root"], name="root"),
        helper.make_node("Mul", ["root", "back"], ["small"], name="reduce"),
        helper.make_node("MatMul", ["small", "weight"], ["out"], name="product"),
    ]
    return _material(folder, nodes, values, random)


def masked(folder: Path, scale: float) -> Material:
    """Inner numbers beyond float16, times a mask that is made of whole numbers."""
    random = np.random.default_rng(11)
    values: dict[str, Any] = {
        "table": random.normal(size=(50, WIDTH)),
        "scale": np.array(scale),
        "back": np.array(1 / scale),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"], name="embed"),
        helper.make_node("Mul", ["embedded", "scale"], ["scaled"], name="enlarge"),
        helper.make_node("Unsqueeze", ["input_ids", "last"], ["whole"], name="widen"),
        helper.make_node("Cast", ["whole"], ["mask"], name="cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["scaled", "mask"], ["kept"], name="mask"),
        helper.make_node("Mul", ["kept", "back"], ["out"], name="reduce"),
    ]
    material = _material(folder, nodes, values, random)
    model = onnx.load(material.graph)
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1]), "last"))
    onnx.save_model(model, material.graph)
    return material


def _material(
    folder: Path,
    nodes: list[onnx.NodeProto],
    values: dict[str, Any],
    random: np.random.Generator,
) -> Material:
    constants = [
        numpy_helper.from_array(np.asarray(value, np.float32), name)
        for name, value in values.items()
    ]
    sizes = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, sizes)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [*sizes, WIDTH])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    file = folder / "model.onnx"
    onnx.save_model(model, file)
    feeds = tuple({"input_ids": random.integers(0, 50, (4, 6))} for _ in range(4))
    return Material(file, feeds)
