"""Figures of agreement between two arrays of numbers or two rankings; pure."""

import math

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


def smallest_tau(ours: Numbers, reference: Numbers) -> float:
    """Kendall's tau-b of the query that is ranked worst; both are scores [queries, passages]."""
    return min(kendall_tau(a, b) for a, b in zip(ours.tolist(), reference.tolist(), strict=True))


def smallest_overlap(ours: Numbers, reference: Numbers, top: int, score_tolerance: float) -> float:
    """The share of our `top` passages that are the reference's, for the worst query.

    A passage counts whose reference score is within twice the tolerance of the last one in the
    reference's `top`: those two may change places.
    """
    top = min(top, ours.shape[1])
    worst = 1.0
    for our_row, row in zip(ours, reference, strict=True):
        enough = np.sort(row)[-top] - 2 * score_tolerance
        chosen = np.argsort(-our_row, kind="stable")[:top]
        worst = min(worst, float((row[chosen] >= enough).mean()))
    return worst
