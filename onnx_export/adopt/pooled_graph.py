"""Pooling and normalisation put into a graph that ends with token embeddings.

Only operators are used that mean the same in every opset since 8, so that a graph of any age can be
completed: reductions are matrix products, since ReduceSum's axes moved between opsets.
"""

from typing import Any

import onnx
from onnx import TensorProto, helper

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.onnx_folder import POOLED_OUTPUTS, TOKEN_OUTPUTS, OnnxGraph, width

OUTPUT = "sentence_embedding"
POOLINGS = ("cls", "mean")
PREFIX = "bicross_"
# As torch.nn.functional.normalize and sentence-transformers' Pooling guard their divisions.
MIN_COUNT, MIN_NORM = 1e-9, 1e-12


def complete_graph(graph: OnnxGraph, pooling: str, *, normalize: bool) -> str:
    """Adds to `graph.model` what its pooled output lacks; returns that output's name.

    A graph that pools already is only normalised, where that is asked, which changes no vector of
    length one.
    """
    pooled = graph.output(POOLED_OUTPUTS)
    if pooled is not None and not normalize:
        return pooled.name
    steps = _Steps(graph.model.graph)
    if pooled is not None:
        # The name is taken by a copy of the vector, so that the normalised one has another.
        vector = steps.add("Reshape", pooled.name, steps.shape(0, 1, -1))
        output, size = PREFIX + OUTPUT, width(pooled)
    else:
        tokens = graph.output(TOKEN_OUTPUTS)
        if tokens is None:
            raise UnsupportedArchitecture(
                f"{graph.file.name} has none of the outputs "
                f"{', '.join(TOKEN_OUTPUTS + POOLED_OUTPUTS)}"
            )
        vector = steps.pool(tokens.name, pooling)
        output, size = OUTPUT, width(tokens)
    if normalize:
        vector = steps.normalize(vector)
    steps.finish(vector, output, size)
    return output


class _Steps:
    """Appends nodes to a graph. A vector is [batch, 1, dimensions] until `finish`."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        # Above every number that an earlier completion of the same graph has used.
        self.count = len(graph.node) + len(graph.initializer)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        output = self._name(operator)
        self.graph.node.append(
            helper.make_node(operator, inputs, [output], name=output, **attributes)
        )
        return output

    def shape(self, *sizes: int) -> str:
        return self._constant(TensorProto.INT64, [len(sizes)], list(sizes))

    def number(self, value: float) -> str:
        return self._constant(TensorProto.FLOAT, [], [value])

    def pool(self, tokens: str, pooling: str) -> str:
        """`mean` of the tokens that are not padding, or the first (`cls`)."""
        floats = self.add("Cast", tokens, to=TensorProto.FLOAT)
        if pooling == "cls":
            first = self._constant(TensorProto.INT64, [1], [0])
            return self.add("Gather", floats, first, axis=1)
        mask = self.add("Cast", "attention_mask", to=TensorProto.FLOAT)
        row = self.add("Reshape", mask, self.shape(0, 1, -1))
        column = self.add("Reshape", mask, self.shape(0, -1, 1))
        total = self.add("MatMul", row, floats)
        # A mask times itself counts its ones.
        count = self.add("Max", self.add("MatMul", row, column), self.number(MIN_COUNT))
        return self.add("Div", total, count)

    def normalize(self, vector: str) -> str:
        column = self.add("Reshape", vector, self.shape(0, -1, 1))
        length = self.add("Sqrt", self.add("MatMul", vector, column))
        return self.add("Div", vector, self.add("Max", length, self.number(MIN_NORM)))

    def finish(self, vector: str, output: str, size: int | None) -> None:
        flat = self.shape(0, size or -1)
        self.graph.node.append(helper.make_node("Reshape", [vector, flat], [output], output))
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", size])
        self.graph.output.append(value)

    def _constant(self, kind: int, sizes: list[int], values: list[int] | list[float]) -> str:
        name = self._name("constant")
        self.graph.initializer.append(helper.make_tensor(name, kind, sizes, values))
        return name

    def _name(self, what: str) -> str:
        self.count += 1
        return f"{PREFIX}{what.lower()}_{self.count}"
