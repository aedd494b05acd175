"""Outputs with many numbers per text as arrays that can be compared: dense weights, padded tokens.

Token vectors are [texts, longest, dimensions] with rows of 0 behind each text's own, so that a text
with a vector too many or too few differs by a whole vector.
"""

import math
from collections.abc import Sequence

import numpy as np

from bicross.runtime import FloatArray, SparseVector, maxsim
from bicross.runtime.ranking.figures import Numbers
from onnx_export.gate.tolerance import LOGIT_TOLERANCE, VECTOR_TOLERANCE, Tolerance

# A token is counted as active where its weight is above so much of its text's largest: what an
# index that prunes keeps for certain.
ACTIVE_SHARE = 0.01
# A logit's tolerance is for weights up to this one, which is the logarithm of a logit of 54.
WEIGHT_SCALE = 4.0


def densified(vectors: Sequence[SparseVector], dimensions: int) -> FloatArray:
    dense = np.zeros((len(vectors), dimensions), np.float32)
    for row, vector in enumerate(vectors):
        dense[row, vector.indices] = vector.weights
    return dense


def padded(matrices: Sequence[FloatArray]) -> FloatArray:
    longest = max(len(matrix) for matrix in matrices)
    whole = np.zeros((len(matrices), longest, matrices[0].shape[1]), np.float32)
    for row, matrix in enumerate(matrices):
        whole[row, : len(matrix)] = matrix
    return whole


def aligned(ours: FloatArray, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Padded to the same length; other arrays as they are."""
    if ours.ndim != 3 or reference.ndim != 3:
        return ours, reference
    longest = max(ours.shape[1], reference.shape[1])
    first, second = (
        np.pad(values, ((0, 0), (0, longest - values.shape[1]), (0, 0)))
        for values in (ours, reference)
    )
    return first, second


def maxsim_scores(queries: FloatArray, passages: FloatArray) -> Numbers:
    """[queries, passages] of two padded arrays."""
    return np.asarray(maxsim(own_vectors(queries), own_vectors(passages)))


def own_vectors(whole: FloatArray) -> list[FloatArray]:
    return [rows[np.any(rows != 0, axis=1)] for rows in whole]


def directions(ours: FloatArray, reference: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corresponding vectors [n, dimensions], those left out that both sides lack."""
    columns = reference.shape[-1]
    first, second = ours.reshape(-1, columns), reference.reshape(-1, columns)
    present = np.any(first != 0, axis=1) | np.any(second != 0, axis=1)
    return first[present], second[present]


def smallest_active_overlap(ours: FloatArray, reference: FloatArray, tolerance: float) -> float:
    """Jaccard's index of the two sets of active tokens (Jaccard 1901), of the worst text.

    A token within twice the tolerance of the floor may be on either side of it.
    """
    worst = 1.0
    for our_row, row in zip(ours, reference, strict=True):
        floor = ACTIVE_SHARE * float(row.max(initial=0.0))
        sure = (our_row > floor) | (row > floor)
        shared = sure & (our_row > floor - 2 * tolerance) & (row > floor - 2 * tolerance)
        if sure.any():
            worst = min(worst, float(shared.sum() / sure.sum()))
    return worst


def weights_tolerance(queries: FloatArray, passages: FloatArray) -> Tolerance:
    """For token weights [n, vocabulary].

    A weight is the logarithm of a logit and 1, or a sum of such over a text's tokens: it moves by
    no more than they do, and a sum of many by as much as there is of it. A product moves by the
    error of each token that both have, times the other side's weight; the pair whose product may
    move most is taken.
    """
    largest = max(float(queries.max(initial=0.0)), float(passages.max(initial=0.0)))
    allowed = LOGIT_TOLERANCE * max(1.0, largest / WEIGHT_SCALE)
    has_query, has_passage = ((weights > 0).astype(np.float32) for weights in (queries, passages))
    shared = queries @ has_passage.T + has_query @ passages.T
    return Tolerance(allowed, float(shared.max()) * allowed)


def token_vectors_tolerance(queries: FloatArray, passages: FloatArray) -> Tolerance:
    """For padded token vectors: each of a query's tokens adds one product's error."""
    norms = [np.linalg.norm(values, axis=2) for values in (queries, passages)]
    norm = max(float(found.max()) for found in norms)
    allowed = VECTOR_TOLERANCE * max(1.0, norm)
    tokens = int((norms[0] > 0).sum(axis=1).max())
    return Tolerance(allowed, tokens * 2 * norm * math.sqrt(queries.shape[2]) * allowed)
