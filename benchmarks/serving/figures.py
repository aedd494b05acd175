"""Timings to figures; pure."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of 100 of them do not exceed (nearest rank).

    NaN of no values.
    """
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(1, math.ceil(percent / 100 * len(ordered))) - 1]


def speedup(baseline: Sequence[float], seconds: Sequence[float]) -> float:
    """How many times faster: the median over rounds of the ratio within a round.

    Both have a value for each round, in order. A machine that others use slows all of a round, so
    that ratios within one hold where medians of each side do not.
    """
    return median(base / own for base, own in zip(baseline, seconds, strict=True))


def summarise(seconds: Sequence[float]) -> dict[str, float]:
    return {"median_s": median(seconds), "least_s": min(seconds), "most_s": max(seconds)}


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The same, begun `by` later: each round begins with another, so that none always warms up."""
    start = by % len(items) if items else 0
    return [*items[start:], *items[:start]]


def shares(amounts: Mapping[str, float]) -> dict[str, float]:
    """Each as a share of all, largest first."""
    total = math.fsum(amounts.values()) or 1.0
    ordered = sorted(amounts.items(), key=lambda item: -item[1])
    return {name: amount / total for name, amount in ordered}
