"""Pooling and the modules after it put into a graph that ends with token embeddings."""

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.onnx_folder import POOLED_OUTPUTS, TOKEN_OUTPUTS, OnnxGraph, width
from onnx_export.adopt.pooling_nodes import pool
from onnx_export.adopt.steps import PREFIX, Steps
from onnx_export.adopt.tail import Dense, TailModule, add_tail

OUTPUT = "sentence_embedding"


def complete_graph(
    graph: OnnxGraph, pooling: str, tail: Sequence[TailModule], *, with_prompt: bool = True
) -> str:
    """Adds to `graph.model` what its vectors lack; returns that output's name.

    In a graph that pools already `tail` are the modules that it lacks.

    With `with_prompt` false the graph gets an input `pooling_mask` and pools by it.
    """
    pooled = pooled_output(graph)
    if pooled is not None:
        return _finish_pooled(graph, pooled, tail)
    tokens = token_output(graph)
    if tokens is None:
        raise UnsupportedArchitecture(
            f"{graph.file.name} has none of the outputs {', '.join(TOKEN_OUTPUTS + POOLED_OUTPUTS)}"
        )
    inner = graph.model.graph
    mask = "attention_mask" if with_prompt else "pooling_mask"
    for name in {"attention_mask", mask}:
        require_input(inner, name)
    steps = Steps(inner, graph.opset)
    vector = add_tail(steps, pool(steps, tokens.name, pooling, mask), tail)
    steps.finish(vector, OUTPUT, ("batch", vector_width(graph, pooling, tail)))
    return OUTPUT


def pooled_output(graph: OnnxGraph) -> onnx.ValueInfoProto | None:
    return graph.output(POOLED_OUTPUTS) or graph.only_output(2)


def token_output(graph: OnnxGraph) -> onnx.ValueInfoProto | None:
    return graph.output(TOKEN_OUTPUTS) or graph.only_output(3)


def vector_width(graph: OnnxGraph, pooling: str, tail: Sequence[TailModule]) -> int | None:
    """The vectors' dimensions, where the graph or a Dense fixes them."""
    projected = [module.dimensions for module in tail if isinstance(module, Dense)]
    if projected:
        return projected[-1]
    pooled = pooled_output(graph)
    if pooled is not None:
        return width(pooled)
    tokens = token_output(graph)
    size = width(tokens) if tokens is not None else None
    return size * len(pooling.split("+")) if size else None


def _finish_pooled(
    graph: OnnxGraph, pooled: onnx.ValueInfoProto, tail: Sequence[TailModule]
) -> str:
    if pooled.type.tensor_type.elem_type == TensorProto.FLOAT and not tail:
        return pooled.name
    steps = Steps(graph.model.graph, graph.opset)
    size = vector_width(graph, "", tail)
    vector = steps.add("Reshape", steps.floats(pooled.name), steps.shape(0, 1, -1))
    # The name is taken by the vector that was there, so that the finished one has another.
    output = PREFIX + OUTPUT
    steps.finish(add_tail(steps, vector, tail), output, ("batch", size))
    return output


def require_input(graph: onnx.GraphProto, name: str) -> None:
    if name not in {value.name for value in graph.input}:
        sizes = ["batch", "length"]
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.INT64, sizes))
