"""The gate: does the graph compute and rank as the original does?

Closeness of numbers alone would let a small, systematic error pass that changes an order; an order
alone would let errors pass that this sample does not show. So both are asked.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bicross.errors import GateFailed, ModelFailed
from bicross.runtime import FloatArray
from onnx_export.gate.batches import Encoder, Input, run_batches, tokenize
from onnx_export.gate.figures import (
    largest_difference,
    smallest_cosine,
    smallest_overlap,
    smallest_tau,
)
from onnx_export.gate.probes import Probe, Probes
from onnx_export.gate.tolerance import lowest_tau

BATCH_SIZES = (1, 8, 32)
# How much of a probe goes through at each batch size: several batches, but not every pair thrice.
MAXIMUM_ROWS = {1: 2, 8: 8, 32: 32}
RERANK_QUERIES = {1: 2, 8: 4, 32: None}
MIN_COSINE = 1 - 1e-6
TOP = 10


@dataclass(frozen=True)
class Measurement:
    """The worst of everything measured, and for each kind and batch size the largest difference."""

    differences: dict[tuple[str, int], float]
    min_cosine: float
    min_tau: float
    min_overlap: float

    @property
    def worst_batches(self) -> tuple[str, int]:
        # max() alone would pass over a NaN.
        return max(self.differences, key=lambda key: _rank_of(self.differences[key]))

    @property
    def max_abs_diff(self) -> float:
        return self.differences[self.worst_batches]


def measure(encoder: Encoder, probes: Probes, narrate: Callable[[str], None]) -> Measurement:
    """Runs `encoder` on every probe at every batch size."""
    differences: dict[tuple[str, int], float] = {}
    cosines, taus, overlaps = [1.0], [1.0], [1.0]
    for probe in probes.all:
        for size in BATCH_SIZES:
            rows = _rows(probe, size, probes)
            narrate(f"onnxruntime: {rows} {probe.kind} inputs in batches of {size}")
            values, expected = _run(encoder, probe.inputs[:rows], size), probe.expected[:rows]
            differences[probe.kind, size] = largest_difference(values, expected)
            if values.shape != expected.shape:
                continue
            if not probes.is_rerank:
                cosines.append(smallest_cosine(values, expected))
            if probe.kind == "mixed":
                ours, reference = probes.ranking(values), probes.ranking(expected)
                taus.append(smallest_tau(ours, reference))
                overlaps.append(smallest_overlap(ours, reference, TOP, probes.tolerance.score))
    # np.min keeps a NaN, so that it reaches the bound and fails there.
    return Measurement(
        differences, float(np.min(cosines)), float(np.min(taus)), float(np.min(overlaps))
    )


def require_parity(measured: Measurement, probes: Probes, who: str) -> dict[str, float | str]:
    """The figures beside their bounds, as the manifest keeps them.

    Raises `GateFailed`, naming the first figure that falls short.
    """
    kind, size = measured.worst_batches
    tolerance = probes.tolerance
    at_least = {
        "min_kendall_tau": (measured.min_tau, lowest_tau(probes.scores, tolerance)),
        f"min_top{TOP}_overlap": (measured.min_overlap, 1.0),
    }
    if not probes.is_rerank:
        at_least["min_cosine"] = (measured.min_cosine, MIN_COSINE)
    # Written so that a NaN fails.
    if not measured.max_abs_diff <= tolerance.value:
        raise GateFailed(
            f"{who}: max_abs_diff is {measured.max_abs_diff:.3g} ({kind} inputs in batches of "
            f"{size}), allowed is at most {tolerance.value:.3g}; nothing was written"
        )
    for name, (value, bound) in at_least.items():
        if not value >= bound:
            raise GateFailed(
                f"{who}: {name} is {value:.6g}, allowed is at least {bound:.6g}; "
                "nothing was written"
            )
    report: dict[str, float | str] = {
        "max_abs_diff": measured.max_abs_diff,
        "bound.max_abs_diff": tolerance.value,
    }
    for name, (value, bound) in at_least.items():
        report |= {name: value, f"bound.{name}": bound}
    for (kind, size), value in measured.differences.items():
        report[f"max_abs_diff.{kind}.{size}"] = value
    return report


def _rows(probe: Probe, size: int, probes: Probes) -> int:
    if probe.kind == "maximum":
        return min(MAXIMUM_ROWS[size], len(probe.inputs))
    if probe.kind == "mixed" and probes.is_rerank:
        queries = RERANK_QUERIES[size] or len(probes.sample.queries)
        return min(queries * len(probes.sample.passages), len(probe.inputs))
    return len(probe.inputs)


def _run(encoder: Encoder, inputs: tuple[Input, ...], size: int) -> FloatArray:
    try:
        return run_batches(encoder, tokenize(encoder, inputs), size)
    except ModelFailed as error:
        raise GateFailed(f"{error}; nothing was written") from error


def _rank_of(difference: float) -> float:
    return math.inf if math.isnan(difference) else difference
