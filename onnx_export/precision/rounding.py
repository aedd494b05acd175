"""Numbers as few bits keep them; pure."""

import numpy as np

from onnx_export.precision.activations import FloatArray

# Of 8: on CPUs without VNNI instructions a sum of two products of 8-bit numbers overflows 16 bits.
WEIGHT_BITS = 7


def round_activations(values: FloatArray) -> FloatArray:
    """8 bits over the range of all `values` and 0, as DynamicQuantizeLinear rounds."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = np.float32((high - low) / 255 or 1.0)
    zero = np.round(-low / scale)
    return np.asarray((np.clip(np.round(values / scale) + zero, 0, 255) - zero) * scale)


def round_columns(weight: FloatArray) -> FloatArray:
    """A scale for each of the output columns, symmetric around 0."""
    limit = 2 ** (WEIGHT_BITS - 1) - 1
    scale = np.abs(weight).max(axis=0, keepdims=True) / limit
    scale[scale == 0] = 1
    return np.asarray(np.round(weight / scale) * scale)


def round_blocks(weight: FloatArray, bits: int, block: int) -> FloatArray:
    """A scale and a zero point for each `block` of inputs of each output, over its range."""
    rows, columns = weight.shape
    padded = np.pad(weight, ((0, -rows % block), (0, 0))).reshape(-1, block, columns)
    low = np.minimum(padded.min(axis=1, keepdims=True), 0)
    high = np.maximum(padded.max(axis=1, keepdims=True), 0)
    limit = 2**bits - 1
    scale = (high - low) / limit
    scale[scale == 0] = 1
    zero = np.round(-low / scale)
    rounded = (np.clip(np.round(padded / scale) + zero, 0, limit) - zero) * scale
    return np.asarray(rounded.reshape(-1, columns)[:rows])
