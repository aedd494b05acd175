"""How far a graph may stray from the original, and whether a sample can show it."""

import math
from dataclasses import dataclass

import numpy as np

from bicross.bundle import Bound
from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.errors import FlatSample
from bicross.runtime.ranking.figures import Numbers
from bicross.runtime.ranking.samples import Sample

# float32 keeps 24 bits, 6e-8 of a number; a deep network summed in another order loses some 20
# times that. Tried on 37 small architectures: 35 stay below 1e-6, one more below 1e-5.
VECTOR_TOLERANCE = 1e-5
LOGIT_TOLERANCE = 1e-4
# The tolerances are for vectors of length 1 and logits up to 16, larger ones in proportion.
VECTOR_SCALE = 1.0
LOGIT_SCALE = 16.0
SPREAD = 10


@dataclass(frozen=True)
class Tolerance:
    """`value` is for one number of an output, `score` for one score of the ranking.

    Two scores closer than twice `score` may change places; every other order must stand.
    """

    value: float
    score: float


def fp32_tolerance(values: Numbers, *, is_rerank: bool) -> Tolerance:
    """For a model that gives `values`: vectors [n, dimensions], or logits [n, 1]."""
    if is_rerank:
        allowed = LOGIT_TOLERANCE * max(1.0, float(np.abs(values).max()) / LOGIT_SCALE)
        return Tolerance(allowed, allowed)
    norm = float(np.linalg.norm(values, axis=1).max())
    allowed = VECTOR_TOLERANCE * max(1.0, norm / VECTOR_SCALE)
    # A product moves by at most its factors' norms times the error vectors' (Cauchy-Schwarz).
    return Tolerance(allowed, 2 * norm * math.sqrt(values.shape[1]) * allowed)


def require_spread(scores: Numbers, score_tolerance: float, sample: Sample) -> float:
    """The smallest spread of one query's `scores` [queries, passages].

    Raises `FlatSample` below 10 tolerances: then any order would pass.
    """
    spread = float((scores.max(axis=1) - scores.min(axis=1)).min())
    if not spread >= SPREAD * score_tolerance:
        raise FlatSample(
            f"the sample proves nothing ({sample}): one query's scores spread over {spread:.3g}, "
            f"less than {SPREAD} times the tolerance of {score_tolerance:.3g}; "
            "give texts of your own domain with --sample"
        )
    return spread


def lowest_tau(scores: Numbers, tolerance: Tolerance) -> float:
    """The smallest Kendall tau of a query when only indistinguishable passages change places."""
    passages = scores.shape[1]
    gaps = np.abs(scores[:, :, None] - scores[:, None, :])
    close = ((gaps <= 2 * tolerance.score).sum(axis=(1, 2)) - passages) // 2
    return float(max(-1.0, 1 - 2 * close.max() / (passages * (passages - 1) // 2)))


def golden_bound(scores: Numbers, tolerance: Tolerance) -> Bound:
    """For the goldens' part of all `scores`."""
    return Bound(
        max_abs_diff=tolerance.value,
        min_tau=lowest_tau(scores[:QUERIES, :PASSAGES], tolerance),
    )
