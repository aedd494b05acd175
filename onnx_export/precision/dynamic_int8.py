"""8-bit weights, a scale for each output; activations scaled at run time over the whole batch."""

from collections.abc import Sequence
from pathlib import Path

from onnx_export.precision.activations import FloatArray
from onnx_export.precision.material import GraphWork, Material
from onnx_export.precision.rounding import round_activations, round_columns
from onnx_export.precision.tools import forget_inference, quiet_tools


def convert(material: Material, target: Path, kept: Sequence[str]) -> GraphWork:
    """Matrix products by weights; the embeddings stay in float, where 8 bits cost most order."""
    with quiet_tools():
        from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

        quantize_dynamic(
            material.graph,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            use_external_data_format=material.has_external_weights,
            extra_options={"MatMulConstBOnly": True},
        )
    forget_inference(target)
    return {"method": "dynamic, per channel, 7-bit weights"}


def approximate(activations: FloatArray, weight: FloatArray) -> FloatArray:
    return round_activations(activations) @ round_columns(weight)
