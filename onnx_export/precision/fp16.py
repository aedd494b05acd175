"""float16 weights and arithmetic where float16 can hold them; inputs and outputs stay float32.

onnxruntime's CPU kernels compute float16 graphs in float32, so that the gate here cannot see an
overflow that another device would have. So ranges are measured in the float32 graph: a node that
takes or gives a number above a quarter of float16's largest stays in float32.
"""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto

from onnx_export.precision.activations import largest_values
from onnx_export.precision.material import GraphWork, Material
from onnx_export.precision.tools import forget_inference, quiet_tools, save

LARGEST = 65504.0
# Other texts reach further than the sample's.
HEADROOM = 4
BATCHES = 4


def convert(material: Material, target: Path, kept: Sequence[str]) -> GraphWork:
    largest = largest_values(material, BATCHES)
    model = onnx.shape_inference.infer_shapes(material.outline())
    onnx.load_external_data_for_model(model, str(material.graph.parent))
    blocked = [*kept, *overflowing(model, largest)]
    with quiet_tools():
        from onnxruntime.transformers.float16 import (  # noqa: PLC0415
            DEFAULT_OP_BLOCK_LIST,
            convert_float_to_float16,
        )
        from onnxruntime.transformers.onnx_model import OnnxModel  # noqa: PLC0415

        converted = convert_float_to_float16(
            model,
            keep_io_types=True,
            disable_shape_infer=True,
            op_block_list=DEFAULT_OP_BLOCK_LIST,
            node_block_list=blocked,
        )
        join_float_regions(converted)
        OnnxModel(converted).topological_sort()
    save(converted, target, external=material.has_external_weights)
    forget_inference(target)
    held = [value for value in largest.values() if value <= LARGEST / HEADROOM]
    return {
        "method": "float16 weights and arithmetic",
        "kept_float": float(len(blocked)),
        "largest_in_float16": max(held, default=0.0),
    }


def overflowing(model: onnx.ModelProto, largest: dict[str, float]) -> list[str]:
    """Nodes that take or give a tensor above the limit, constants among them."""
    wide = {name for name, value in largest.items() if not value <= LARGEST / HEADROOM}
    wide |= {tensor.name for tensor in model.graph.initializer if _exceeds(tensor)}
    return [node.name for node in model.graph.node if wide & {*node.input, *node.output}]


def join_float_regions(model: onnx.ModelProto) -> None:
    """Lets a float32 node read another's output as it is, not by way of float16."""
    nodes = model.graph.node
    whole_numbers = {
        value.name
        for value in (*model.graph.input, *model.graph.value_info)
        if value.type.tensor_type.elem_type not in {TensorProto.FLOAT, TensorProto.FLOAT16}
    }
    # A mask of whole numbers becomes float16 on its way too; it is no float32 tensor.
    narrowed = {
        node.output[0]: node.input[0]
        for node in nodes
        if _casts_to(node, TensorProto.FLOAT16) and node.input[0] not in whole_numbers
    }
    direct = {
        node.output[0]: narrowed[node.input[0]]
        for node in nodes
        if _casts_to(node, TensorProto.FLOAT) and node.input[0] in narrowed
    }
    outputs = {value.name for value in model.graph.output}
    for node in nodes:
        node.input[:] = [direct.get(name, name) for name in node.input]
    unused = [node for node in nodes if node.output and node.output[0] in direct.keys() - outputs]
    for node in unused:
        nodes.remove(node)


def _casts_to(node: onnx.NodeProto, kind: int) -> bool:
    return node.op_type == "Cast" and any(
        attribute.name == "to" and attribute.i == kind for attribute in node.attribute
    )


def _exceeds(tensor: onnx.TensorProto) -> bool:
    """Only small constants are looked at: a mask's lowest number is one, a weight never is."""
    if tensor.data_type != TensorProto.FLOAT or len(tensor.raw_data) > 4096:
        return False
    values = onnx.numpy_helper.to_array(tensor)
    return bool(values.size and not abs(values).max() <= LARGEST / HEADROOM)
