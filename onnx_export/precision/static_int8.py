"""8-bit weights, a scale for each output; activations scaled once, by the sample's range.

A text's numbers then do not move with its batch, but what lies outside the sample's range is cut.
As operators of their own (QOperator): the same graph with pairs of QuantizeLinear and
DequantizeLinear was slower in onnxruntime on a CPU and ranked no better.
"""

from collections.abc import Sequence
from pathlib import Path

from onnx_export.precision.material import Feeds, GraphWork, Material
from onnx_export.precision.tools import forget_inference, quiet_tools


def convert(material: Material, target: Path, kept: Sequence[str]) -> GraphWork:
    with quiet_tools():
        from onnxruntime.quantization import (  # noqa: PLC0415
            CalibrationDataReader,
            CalibrationMethod,
            QuantFormat,
            QuantType,
            quantize_static,
        )

        class Sample(CalibrationDataReader):  # type: ignore[misc]  # without types
            def __init__(self) -> None:
                self.batches = iter(material.feeds)

            def get_next(self) -> Feeds | None:
                return next(self.batches, None)

        quantize_static(
            material.graph,
            target,
            Sample(),
            quant_format=QuantFormat.QOperator,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(kept),
            use_external_data_format=material.has_external_weights,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"MatMulConstBOnly": True},
        )
    forget_inference(target)
    rows = sum(len(feeds["input_ids"]) for feeds in material.feeds)
    return {"method": "static, per channel, 7-bit weights", "calibration_texts": float(rows)}
