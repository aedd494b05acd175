"""GELU in the order of products that onnxruntime knows, so that it fuses it at load.

The exporter writes x * (0.5 * (1 + erf(x / sqrt 2))), and onnxruntime looks for
(x * (1 + erf(x / sqrt 2))) * 0.5. A product with 0.5 is exact, so both give the same numbers, and
the graph stays one of plain operators. On all-MiniLM-L6-v2 a run took 3 to 5% less CPU time (one
thread, 15 interleaved runs on a busy machine).
"""

import math
from collections import Counter

import onnx
from onnx import TensorProto, numpy_helper


def order_gelu(model: onnx.ModelProto) -> int:
    """Changes `model` and gives how many it found."""
    graph = model.graph
    halves = {tensor.name for tensor in graph.initializer if _is_half(tensor)}
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(value.name for value in graph.output)
    producers = {name: node for node in graph.node for name in node.output}
    found = 0
    for outer in graph.node:
        if outer.op_type != "Mul":
            continue
        for x, name in (tuple(outer.input), tuple(reversed(outer.input))):
            inner = producers.get(name)
            if inner is None or inner.op_type != "Mul" or uses[name] != 1:
                continue
            half = next((value for value in inner.input if value in halves), None)
            rest = next((value for value in inner.input if value not in halves), None)
            if half and rest and _is_one_plus_erf(producers, rest, x):
                inner.input[:] = [x, rest]
                outer.input[:] = [name, half]
                found += 1
                break
    return found


def _is_one_plus_erf(producers: dict[str, onnx.NodeProto], name: str, x: str) -> bool:
    """1 + erf(x scaled)"""
    for erf in _made_by(producers, name, "Add", "Erf"):
        if any(x in scaled.input for scaled in _inputs_of(producers, erf)):
            return True
    return False


def _made_by(
    producers: dict[str, onnx.NodeProto], name: str, operator: str, of: str
) -> list[onnx.NodeProto]:
    """The nodes `of` one operator whose outputs `operator` takes to give `name`."""
    node = producers.get(name)
    if node is None or node.op_type != operator:
        return []
    return [found for found in _inputs_of(producers, node) if found.op_type == of]


def _inputs_of(producers: dict[str, onnx.NodeProto], node: onnx.NodeProto) -> list[onnx.NodeProto]:
    return [producers[value] for value in node.input if value in producers]


def _is_half(tensor: onnx.TensorProto) -> bool:
    # Weights that lie in a file of their own are not read for this; one number never does.
    if tensor.data_type != TensorProto.FLOAT or math.prod(tensor.dims) != 1:
        return False
    if tensor.data_location == TensorProto.EXTERNAL:
        return False
    return bool(numpy_helper.to_array(tensor).item() == 0.5)
