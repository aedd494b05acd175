"""The inputs of a graph made those that the runtime gives: int64 ids, mask and types."""

import onnx
from onnx import TensorProto

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.onnx_folder import OnnxGraph
from onnx_export.adopt.steps import Steps
from onnx_export.source.model_files import OFFSET_POSITIONS

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "pooling_mask")
POSITIONS = "position_ids"


def complete_inputs(graph: OnnxGraph, model_type: str | None) -> tuple[str, ...]:
    """The graph's inputs, in the order of `INPUTS`, with position_ids computed inside it.

    Raises `UnsupportedArchitecture` for any other input, naming it.
    """
    inputs = graph.model.graph.input
    found = {value.name: value for value in inputs}
    if POSITIONS in found:
        _compute_positions(graph, found.pop(POSITIONS), model_type)
    for name, value in found.items():
        kind = value.type.tensor_type.elem_type
        if name in INPUTS and kind == TensorProto.INT32:
            _take_int64(graph, value)
        elif name not in INPUTS or kind != TensorProto.INT64:
            raise UnsupportedArchitecture(
                f"{graph.file.name} has the input {name}; adopted are graphs with int64 or int32 "
                f"{', '.join(INPUTS[:3])} and {POSITIONS}{_advice(name)}"
            )
    return tuple(name for name in INPUTS if name in found)


def _advice(name: str) -> str:
    cached = name.startswith("past_key_values") or name == "use_cache_branch"
    return "; export the model without its cache (use_cache=False)" if cached else ""


def _compute_positions(
    graph: OnnxGraph, value: onnx.ValueInfoProto, model_type: str | None
) -> None:
    """0, 1, 2, ... over the tokens that are not padding, on whichever side that is."""
    inner = graph.model.graph
    if model_type in OFFSET_POSITIONS or "attention_mask" not in {row.name for row in inner.input}:
        raise UnsupportedArchitecture(
            f"{graph.file.name} has the input {POSITIONS}, which for "
            f"{model_type or 'a graph without attention_mask'} is not to be told from the mask; "
            "export the model itself with onnx-export model"
        )
    steps = Steps(inner, graph.opset)
    kind = value.type.tensor_type.elem_type
    before = len(inner.node)
    counted = steps.running_sum(steps.floats("attention_mask"), 1)
    from_nought = steps.add("Max", steps.add("Sub", counted, steps.number(1.0)), steps.number(0.0))
    inner.node.append(
        onnx.helper.make_node("Cast", [from_nought], [POSITIONS], steps.name("cast"), to=kind)
    )
    _move_to_the_front(inner, before)
    inner.input.remove(value)


def _take_int64(graph: OnnxGraph, value: onnx.ValueInfoProto) -> None:
    inner = graph.model.graph
    steps = Steps(inner, graph.opset)
    narrow = steps.name(value.name)
    for node in inner.node:
        node.input[:] = [narrow if name == value.name else name for name in node.input]
    steps.add_first("Cast", value.name, output=narrow, to=TensorProto.INT32)
    value.type.tensor_type.elem_type = TensorProto.INT64


def _move_to_the_front(graph: onnx.GraphProto, start: int) -> None:
    """Nodes must stand after those whose outputs they use."""
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes[start:], *nodes[:start]])
