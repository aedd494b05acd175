"""What a sample of queries allows one to say of queries like these; pure."""

import math

import numpy as np

from bicross.runtime.ranking.figures import Numbers

RESAMPLES = 10_000
SEED = 1
# One-sided: only how bad it may be is asked.
CONFIDENCE = 0.95
Z = 1.6448536269514722  # the normal distribution's quantile at CONFIDENCE
_BLOCK = 500


def lowest_mean(values: Numbers) -> float:
    """The lower bound of the mean: bootstrap over queries, the 5th percentile; NaN for a NaN.

    Queries are what was drawn, so they are what is resampled: a query's passages are not
    independent of each other.
    """
    if not np.isfinite(values).all():
        return math.nan
    random = np.random.default_rng(SEED)
    count = len(values)
    means = [
        values[random.integers(0, count, size=(_BLOCK, count))].mean(axis=1)
        for _ in range(RESAMPLES // _BLOCK)
    ]
    return float(np.quantile(np.concatenate(means), 1 - CONFIDENCE))


def lowest_share(successes: float, trials: int) -> float:
    """The lower bound of a share by Wilson's score interval (Wilson 1927); NaN of no trials.

    Unlike the bootstrap it stays below 1 where every trial succeeded.
    """
    if not trials:
        return math.nan
    share, z2 = successes / trials, Z * Z
    centre = share + z2 / (2 * trials)
    spread = Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return (centre - spread) / (1 + z2 / trials)
