"""Nodes appended to a graph, in operators that mean the same in every opset since 8.

Where an operator changed (ReduceMax's axes moved from an attribute to an input with opset 18), the
graph's own opset decides. Reductions by sums are matrix products, since ReduceSum moved too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from bicross.errors import UnsupportedArchitecture

PREFIX = "bicross_"
REDUCE_AXES_ARE_INPUTS = 18
CUMULATIVE_SUM_SINCE = 11


class Steps:
    """A vector is [batch, 1, dimensions] until `finish`."""

    def __init__(self, graph: onnx.GraphProto, opset: int) -> None:
        self.graph = graph
        self.opset = opset
        # Above every number that an earlier completion of the same graph has used.
        self.count = len(graph.node) + len(graph.initializer)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        output = self.name(operator)
        self.graph.node.append(
            helper.make_node(operator, inputs, [output], name=output, **attributes)
        )
        return output

    def add_first(self, operator: str, *inputs: str, output: str, **attributes: Any) -> str:  # noqa: ANN401
        """Before all nodes that are there, so that they may use `output`."""
        node = helper.make_node(operator, inputs, [output], name=self.name(operator), **attributes)
        self.graph.node.insert(0, node)
        return output

    def shape(self, *sizes: int) -> str:
        return self._constant(TensorProto.INT64, [len(sizes)], list(sizes))

    def number(self, value: float) -> str:
        return self._constant(TensorProto.FLOAT, [], [value])

    def weights(self, values: npt.NDArray[np.float32]) -> str:
        name = self.name("weights")
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def floats(self, value: str) -> str:
        return self.add("Cast", value, to=TensorProto.FLOAT)

    def ones_like(self, row: str) -> str:
        return self.add("Add", self.add("Mul", row, self.number(0.0)), self.number(1.0))

    def running_sum(self, row: str, axis: int) -> str:
        if self.opset < CUMULATIVE_SUM_SINCE:
            raise UnsupportedArchitecture(
                f"the graph's opset {self.opset} has no CumSum, which its pooling or its "
                f"position_ids need; convert it to opset {CUMULATIVE_SUM_SINCE} or later"
            )
        return self.add("CumSum", row, self._constant(TensorProto.INT64, [], [axis]))

    def largest(self, value: str, axis: int) -> str:
        """Along `axis`, which stays with size 1."""
        if self.opset >= REDUCE_AXES_ARE_INPUTS:
            return self.add("ReduceMax", value, self.shape(axis), keepdims=1)
        return self.add("ReduceMax", value, axes=[axis], keepdims=1)

    def finish(self, vector: str, output: str, sizes: Sequence[str | int | None]) -> None:
        """`vector` reshaped to `sizes`, float32, as the graph's output of that name."""
        shape = self.shape(*(0 if isinstance(size, str) else size or -1 for size in sizes))
        self.graph.node.append(helper.make_node("Reshape", [vector, shape], [output], output))
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, list(sizes))
        self.graph.output.append(value)

    def name(self, what: str) -> str:
        self.count += 1
        return f"{PREFIX}{what.lower()}_{self.count}"

    def _constant(self, kind: int, sizes: list[int], values: list[int] | list[float]) -> str:
        name = self.name("constant")
        self.graph.initializer.append(helper.make_tensor(name, kind, sizes, values))
        return name
