"""Two runs over the same queries: is one better, worse, or is that not shown?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RESAMPLES = 10_000
CONFIDENCE = 0.95
SEED = 1
_BLOCK = 500


@dataclass(frozen=True)
class Comparison:
    """The mean of (second - first) per query, and its paired bootstrap percentile interval."""

    difference: float
    low: float
    high: float
    better: int
    worse: int
    equal: int

    @property
    def verdict(self) -> str:
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "not shown"

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict, "method": METHOD}


METHOD = f"paired bootstrap over queries, {RESAMPLES} resamples, seed {SEED}, 95% percentiles"


def compare(first: Mapping[str, float], second: Mapping[str, float]) -> Comparison:
    """Both map the same queries, at least one, to values of one measure.

    The interval is of the mean over queries like these; it says nothing of other collections.
    """
    if first.keys() != second.keys() or not first:
        raise ValueError("a paired comparison needs the same queries on both sides, one at least")
    differences = np.array([second[query] - first[query] for query in sorted(first)])
    means = bootstrap_means(differences)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Comparison(
        difference=float(differences.mean()),
        low=float(low),
        high=float(high),
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
        equal=int((differences == 0).sum()),
    )


def bootstrap_means(differences: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """Means of resampled queries, in blocks, so that memory does not grow with the resamples."""
    random = np.random.default_rng(SEED)
    count = len(differences)
    means: list[float] = []
    for _ in range(RESAMPLES // _BLOCK):
        drawn = random.integers(0, count, size=(_BLOCK, count))
        means.extend(differences[drawn].mean(axis=1).tolist())
    return means


def in_words(comparison: Comparison, measure: str, first: str, second: str) -> str:
    """What the interval allows one to say, and no more."""
    interval = (
        f"{comparison.difference:+.4f}, 95% interval {comparison.low:+.4f} to "
        f"{comparison.high:+.4f}"
    )
    queries = (
        f"better on {comparison.better} queries, worse on {comparison.worse}, equal on "
        f"{comparison.equal}"
    )
    if comparison.verdict == "better":
        claim = f"{second} raises {measure} over {first}"
    elif comparison.verdict == "worse":
        claim = f"{second} LOWERS {measure} below {first}: this reranker does not suit these texts"
    else:
        claim = f"no difference in {measure} between {second} and {first} is shown"
    return f"{claim} ({interval}; {queries})"
