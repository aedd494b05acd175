"""Figures of agreement between two arrays of numbers or two rankings; pure."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bicross.bundle.golden import kendall_tau

Numbers = npt.NDArray[np.floating]


def largest_difference(ours: Numbers, reference: Numbers) -> float:
    """Infinite where the shapes differ, NaN where any number is NaN."""
    if ours.shape != reference.shape:
        return math.inf
    return float(np.abs(ours.astype(np.float64) - reference).max())


def smallest_cosine(ours: Numbers, reference: Numbers) -> float:
    """Of corresponding rows. A zero row gives NaN, which no bound admits."""
    a, b = ours.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(((a * b).sum(axis=1) / norms).min())


def taus(ours: Numbers, reference: Numbers) -> Numbers:
    """Kendall's tau-b of each query, [queries]; both are scores [queries, passages]."""
    pairs = zip(ours.tolist(), reference.tolist(), strict=True)
    return np.array([kendall_tau(a, b) for a, b in pairs])


def smallest_tau(ours: Numbers, reference: Numbers) -> float:
    """That of the query that is ranked worst."""
    return float(taus(ours, reference).min())


def overlaps(ours: Numbers, reference: Numbers, top: int, score_tolerance: float) -> Numbers:
    """For each query the share of our `top` passages that are the reference's, [queries].

    A passage counts whose reference score is within twice the tolerance of the last one in the
    reference's `top`: those two may change places.
    """
    top = min(top, ours.shape[1])
    shares = []
    for our_row, row in zip(ours, reference, strict=True):
        enough = np.sort(row)[-top] - 2 * score_tolerance
        chosen = np.argsort(-our_row, kind="stable")[:top]
        shares.append(float((row[chosen] >= enough).mean()))
    return np.array(shares)


@dataclass(frozen=True)
class Swap:
    """Two passages that changed places under one query, by their numbers in the sample.

    `higher` is the one that the reference puts first; the scores are (its own, the other's).
    """

    query: int
    higher: int
    lower: int
    reference: tuple[float, float]
    ours: tuple[float, float]

    @property
    def gap(self) -> float:
        """How far apart the reference holds them."""
        return self.reference[0] - self.reference[1]


def widest_swap(ours: Numbers, reference: Numbers) -> Swap | None:
    """The swap of the two passages that the reference holds furthest apart, where there is one."""
    widest: Swap | None = None
    for query, (our_row, row) in enumerate(zip(ours, reference, strict=True)):
        gaps = row[:, None] - row[None, :]
        swapped = np.where((our_row[:, None] < our_row[None, :]) & (gaps > 0), gaps, 0.0)
        higher, lower = divmod(int(swapped.argmax()), len(row))
        if swapped[higher, lower] > (widest.gap if widest else 0.0):
            widest = Swap(
                query,
                higher,
                lower,
                (float(row[higher]), float(row[lower])),
                (float(our_row[higher]), float(our_row[lower])),
            )
    return widest
