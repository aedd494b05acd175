"""Vectors in fewer bits: int8 by one scale for all dimensions, and one bit for each sign.

One scale, symmetric about 0, multiplies every dot product by the same number and leaves cosines as
they are, up to rounding. A range for each dimension would not.
"""

import math
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from bicross.bundle.heads import Embedding
from bicross.errors import InvalidRequest
from bicross.runtime.engine import FloatArray

# The names that Voyage's and Cohere's clients know.
OutputDtype = Literal["float", "int8", "uint8", "binary", "ubinary"]
Vectors = npt.NDArray[Any]

NEED_SCALE = frozenset({"int8", "uint8"})
LARGEST = 127


def offered_dtypes(head: Embedding) -> tuple[OutputDtype, ...]:
    names: tuple[OutputDtype, ...] = get_args(OutputDtype)
    return tuple(name for name in names if head.int8_scale is not None or name not in NEED_SCALE)


def require_dtype(head: Embedding, dtype: OutputDtype, who: str) -> None:
    """Raises `InvalidRequest` where model `who` has no scale for `dtype`."""
    offered = offered_dtypes(head)
    if dtype not in offered:
        raise InvalidRequest(
            f"`output_dtype` {dtype} is not offered: the bundle of {who} has no int8_scale. Export "
            f"the model from its weights to calibrate one, or ask for {', '.join(offered)}",
            param="output_dtype",
        )


def convert(vectors: FloatArray, dtype: OutputDtype, head: Embedding) -> Vectors:
    """float32 [n, dimensions] as `dtype`, by the head's scale; dimensions may have been cut.

    `int8` is x * 127 / scale, rounded, within [-127, 127]; `uint8` the same plus 128. `ubinary`
    has a bit for each x > 0, the first one highest: uint8 [n, dimensions / 8], the last byte
    filled up with 0; `binary` is int8, the same minus 128.
    """
    if dtype == "float":
        return vectors
    if dtype in {"binary", "ubinary"}:
        bits = np.packbits(vectors > 0, axis=-1)
        return bits if dtype == "ubinary" else _less_128(bits)
    scaled = np.rint(vectors * (LARGEST / _scale(head, vectors.shape[-1])))
    whole = np.clip(scaled, -LARGEST, LARGEST) + 128
    return whole.astype(np.uint8) if dtype == "uint8" else _less_128(whole)


def _scale(head: Embedding, dimensions: int) -> float:
    """Vectors of unit length that are cut to n dimensions have larger numbers: their mean square is
    1 / n, whatever n.
    """
    if head.int8_scale is None:
        raise ValueError("int8 without a scale")
    if not head.normalize:
        return head.int8_scale
    return head.int8_scale * math.sqrt(head.dimensions / dimensions)


def _less_128(numbers: Vectors) -> Vectors:
    shifted: Vectors = (numbers.astype(np.int16) - 128).astype(np.int8)
    return shifted
