"""Weights in 4 or 8 bits, a scale for each block of them; arithmetic in float32.

Made for large models, whose weights are what memory holds and what each run reads.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from onnx_export.precision.activations import FloatArray
from onnx_export.precision.exclusion import Approximate
from onnx_export.precision.material import Convert, GraphWork, Material
from onnx_export.precision.rounding import round_blocks
from onnx_export.precision.tools import forget_inference, quiet_tools, save

# Smaller blocks keep more and weigh more: 8 bits hardly gain by it, 4 bits do.
BLOCKS = {8: 128, 4: 32}


def converter(bits: int) -> Convert:
    return partial(_convert, bits)


def approximation(bits: int) -> Approximate:
    return partial(_approximate, bits)


def _convert(bits: int, material: Material, target: Path, kept: Sequence[str]) -> GraphWork:
    with quiet_tools():
        from onnxruntime.quantization.matmul_nbits_quantizer import (  # noqa: PLC0415
            MatMulNBitsQuantizer,
        )

        quantizer = MatMulNBitsQuantizer(
            material.load(),
            bits=bits,
            block_size=BLOCKS[bits],
            is_symmetric=False,
            nodes_to_exclude=list(kept),
        )
        quantizer.process()
    save(quantizer.model.model, target, external=material.has_external_weights)
    forget_inference(target)
    return {"method": f"weights only, {bits} bits, blocks of {BLOCKS[bits]}"}


def _approximate(bits: int, activations: FloatArray, weight: FloatArray) -> FloatArray:
    return activations @ round_blocks(weight, bits, BLOCKS[bits])
