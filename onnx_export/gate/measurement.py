"""An encoder run on every probe in varied company, and what that showed."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.errors import GateFailed, ModelFailed
from bicross.runtime import Encoder, FloatArray
from bicross.runtime.ranking.figures import (
    Numbers,
    Swap,
    largest_difference,
    overlaps,
    smallest_cosine,
    smallest_tau,
    taus,
    widest_swap,
)
from onnx_export.gate.batches import run_batches, tokenize
from onnx_export.gate.probes import Probe, Probes
from onnx_export.gate.token_outputs import aligned, directions, smallest_active_overlap

TOP = 10
BATCH_SIZES = (1, 8, 32)
# How much of a probe goes through at each batch size: several batches, but not every pair thrice.
MAXIMUM_ROWS = {1: 2, 8: 8, 32: 32}
RERANK_QUERIES = {1: 2, 8: 4, 32: None}


@dataclass(frozen=True)
class Composition:
    """Batches of `size`, and with `guest` a much longer text in each of them."""

    size: int
    guest: bool = False

    def __str__(self) -> str:
        return f"{self.size}+long" if self.guest else str(self.size)


ALONE = Composition(1)
COMPOSITIONS = (ALONE, Composition(8), Composition(32), Composition(8, guest=True))


@dataclass
class Measurement:
    """The worst of everything measured.

    `differences` are by kind of input and composition, `taus` and `overlaps` by query, each the
    worst of all compositions; `golden_tau` is that of the goldens' own queries and passages.
    `moved_by_batch` is how far a text's numbers were from those that it had alone.
    """

    differences: dict[tuple[str, str], float] = field(default_factory=dict)
    min_cosine: float = 1.0
    min_active_overlap: float = 1.0
    taus: Numbers = field(default_factory=lambda: np.ones(0))
    overlaps: Numbers = field(default_factory=lambda: np.ones(0))
    golden_tau: float = 1.0
    moved_by_batch: float = 0.0
    swap: Swap | None = None

    @property
    def worst_batches(self) -> tuple[str, str]:
        # max() alone would pass over a NaN.
        return max(self.differences, key=lambda key: _rank_of(self.differences[key]))

    @property
    def max_abs_diff(self) -> float:
        return self.differences[self.worst_batches]

    @property
    def min_tau(self) -> float:
        return float(np.min(self.taus, initial=1.0))

    @property
    def min_overlap(self) -> float:
        return float(np.min(self.overlaps, initial=1.0))

    def add_values(self, key: tuple[str, str], values: FloatArray, expected: FloatArray) -> None:
        self.differences[key] = largest_difference(values, expected)

    def add_company(self, values: FloatArray, alone: FloatArray) -> None:
        """Of the texts that both have."""
        shared = min(len(values), len(alone))
        moved = largest_difference(*aligned(values[:shared], alone[:shared]))
        self.moved_by_batch = float(np.maximum(self.moved_by_batch, moved))

    def add_directions(self, values: FloatArray, expected: FloatArray) -> None:
        # np.minimum keeps a NaN, so that it reaches the bound and fails there.
        ours, reference = directions(values, expected)
        if len(ours):
            self.min_cosine = float(np.minimum(self.min_cosine, smallest_cosine(ours, reference)))

    def add_active_tokens(self, values: FloatArray, expected: FloatArray, tolerance: float) -> None:
        overlap = smallest_active_overlap(values, expected, tolerance)
        self.min_active_overlap = min(self.min_active_overlap, overlap)

    def add_ranking(self, ours: Numbers, reference: Numbers, score_tolerance: float) -> None:
        """Scores [queries, passages]; fewer queries than before count for the first ones."""
        self.taus = _worst(self.taus, taus(ours, reference))
        self.overlaps = _worst(self.overlaps, overlaps(ours, reference, TOP, score_tolerance))
        part = (slice(QUERIES), slice(PASSAGES))
        golden = smallest_tau(ours[part], reference[part])
        self.golden_tau = float(np.minimum(self.golden_tau, golden))
        swap = widest_swap(ours, reference)
        if swap and (self.swap is None or swap.gap > self.swap.gap):
            self.swap = swap


def measure(
    encoder: Encoder, probes: Probes, narrate: Callable[[str], None], *, exact: bool = True
) -> Measurement:
    """Runs `encoder` on every probe in every composition. Raises `GateFailed` where it cannot.

    What is not `exact` runs short and longest inputs in batches of 8 alone: padding and
    truncation are those of the exact graph, whose every composition was tried.
    """
    found, alone = Measurement(), dict[str, FloatArray]()
    for probe, composition in _runs(probes, exact=exact):
        rows = _rows(probe, composition, probes)
        narrate(f"{encoder.engine}: {rows} {probe.kind} inputs in batches of {composition}")
        values = _run(encoder, probes, probe, composition, rows)
        if probe.kind in alone:
            found.add_company(values, alone[probe.kind])
        elif composition == ALONE:
            alone[probe.kind] = values
        values, expected = aligned(values, probe.expected[:rows])
        found.add_values((probe.kind, str(composition)), values, expected)
        if values.shape != expected.shape:
            continue
        if probes.has_directions:
            found.add_directions(values, expected)
        if probes.task == "sparse_embedding":
            found.add_active_tokens(values, expected, probes.tolerance.value)
        if probe.kind == "mixed":
            ours, reference = probes.ranking(values), probes.ranking(expected)
            found.add_ranking(ours, reference, probes.tolerance.score)
    return found


def _runs(probes: Probes, *, exact: bool) -> Iterator[tuple[Probe, Composition]]:
    for probe in probes.all:
        for composition in COMPOSITIONS:
            plain = not composition.guest and (exact or composition.size == 8)
            if probe.kind == "mixed" or plain:
                yield probe, composition


def _rows(probe: Probe, composition: Composition, probes: Probes) -> int:
    if probe.kind == "maximum":
        return min(MAXIMUM_ROWS[composition.size], len(probe.inputs))
    if probe.kind == "mixed" and probes.is_rerank:
        queries = RERANK_QUERIES[composition.size] or len(probes.sample.queries)
        queries = 1 if composition.guest else queries
        return min(queries * len(probes.sample.passages), len(probe.inputs))
    return len(probe.inputs)


def _run(
    encoder: Encoder, probes: Probes, probe: Probe, composition: Composition, rows: int
) -> FloatArray:
    guests = tokenize(encoder, [probes.guest]) if composition.guest else []
    try:
        sequences = tokenize(encoder, probe.inputs[:rows])
        return run_batches(encoder, sequences, composition.size, *guests)
    except ModelFailed as error:
        raise GateFailed(str(error)) from error


def _worst(before: Numbers, now: Numbers) -> Numbers:
    """The smaller of each, NaN winning; the longer one's length."""
    worst = np.ones(max(len(before), len(now)))
    worst[: len(before)] = before
    worst[: len(now)] = np.minimum(worst[: len(now)], now)
    return worst


def _rank_of(difference: float) -> float:
    return math.inf if math.isnan(difference) else difference
