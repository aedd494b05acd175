"""A torch module to an ONNX file: the one place that knows the exporter."""

import re
from collections.abc import Callable
from pathlib import Path

import onnx
import torch

from bicross.errors import UnsupportedArchitecture
from onnx_export.graph.build import ExportGraph, example
from onnx_export.graph.gelu_order import order_gelu
from onnx_export.reference.quiet import quiet

OPSET = 18
# A protobuf file ends at 2 GiB; the graph itself needs a little of that.
MAX_INLINE_BYTES = 1900 << 20

COLOURS = re.compile(r"\x1b\[[\d;]*m")

Tracer = Callable[[ExportGraph, Path], None]


def trace_graph(graph: ExportGraph, file: Path, max_inline_bytes: int = MAX_INLINE_BYTES) -> None:
    """Writes `graph` with any batch and length; weights above `max_inline_bytes` go into
    `file`.data, one tensor at a time, so that they are in memory only once.

    Raises `UnsupportedArchitecture` where the exporter cannot follow the module.
    """
    tensors = example(graph)
    size = torch.export.Dim.DYNAMIC
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                graph,
                tensors,
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_shapes=(tuple({0: size, 1: size} for _ in tensors),),
            )
    except Exception as error:
        raise UnsupportedArchitecture(
            f"torch cannot export {type(graph.transformer).__name__}: {_cause(error)}; "
            "a folder that holds it as ONNX already is taken by `onnx-export adopt`"
        ) from error
    if program is None:
        raise UnsupportedArchitecture(f"torch gave no graph of {type(graph.transformer).__name__}")
    size_bytes = sum(p.numel() * p.element_size() for p in graph.parameters())
    if size_bytes > max_inline_bytes:
        program.save(file, external_data=True)
        model = onnx.load(file, load_external_data=False)
    else:
        model = program.model_proto
    _forget_origin(model)
    _name_sizes(model)
    order_gelu(model)
    file.write_bytes(model.SerializeToString())


def _cause(error: BaseException) -> str:
    """The first line of what the exporter stumbled over, which its own error only wraps."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {COLOURS.sub('', lines[0])}"


def _forget_origin(model: onnx.ModelProto) -> None:
    """The exporter notes each node's stack trace, with paths of this machine; a bundle travels."""
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    # Shapes in between bear the exporter's symbols; onnxruntime infers them anew.
    del model.graph.value_info[:]
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]


def _name_sizes(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        sizes = value.type.tensor_type.shape.dim
        for size, name in zip(sizes, ("batch", "length"), strict=False):
            if size.HasField("dim_param"):
                size.dim_param = name
