"""The scale of int8 vectors, from the original's own vectors of the sample."""

from typing import TYPE_CHECKING

import numpy as np

from bicross.bundle.heads import Embedding, Head
from bicross.runtime import FloatArray

if TYPE_CHECKING:
    from onnx_export.gate.probes import Probes

# Of the absolute values, so many are not cut. On all-MiniLM-L6-v2 the top ten kept most from here
# up to the largest value of all, which one odd text may stretch; see docs/server.md.
QUANTILE = 0.9995
# The scale is part of the digest: the last bits of float32 differ between machines.
SIGNIFICANT_DIGITS = 3


def calibrated(head: Head, probes: "Probes") -> Head:
    """`head` with its `int8_scale`, where it gives one vector per text."""
    if not isinstance(head, Embedding):
        return head
    return head.model_copy(update={"int8_scale": int8_scale(probes.mixed.expected)})


def int8_scale(vectors: FloatArray) -> float | None:
    """The absolute value that becomes 127, for `vectors` [n, dimensions]; None where all are 0."""
    found = float(np.quantile(np.abs(vectors), QUANTILE))
    return float(f"{found:.{SIGNIFICANT_DIGITS}g}") or None
