"""Token weights and token vectors computed here against a bundle's goldens."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from bicross.bundle.golden import OTHER_SHAPE, Comparison, Goldens, smallest_tau
from bicross.bundle.matrix import Rows
from bicross.errors import InvalidManifest

SparseRows = Sequence[Mapping[int, float]]


def compare_weights(goldens: Goldens, queries: SparseRows, passages: SparseRows) -> Comparison:
    """By token id; the order is that of the dot products over the tokens that goldens keep."""
    golden_q, golden_p = goldens.queries_weights, goldens.passages_weights
    if golden_q is None or golden_p is None:
        raise InvalidManifest("goldens.json holds no token weights; export again")
    pairs = [*zip(golden_q, queries, strict=True), *zip(golden_p, passages, strict=True)]
    reference = _dot_products([row.by_id for row in golden_q], [row.by_id for row in golden_p])
    ours = _dot_products(
        [_only(row, golden.by_id) for golden, row in zip(golden_q, queries, strict=True)],
        [_only(row, golden.by_id) for golden, row in zip(golden_p, passages, strict=True)],
    )
    return Comparison.model_construct(
        max_abs_diff=_largest(golden.differences(row) for golden, row in pairs),
        min_tau=smallest_tau(ours, reference),
    )


def compare_token_vectors(
    goldens: Goldens, queries: Sequence[Rows], passages: Sequence[Rows], scores: Rows
) -> Comparison:
    """One matrix [tokens, dimensions] per text; `scores` are MaxSim, [queries, passages]."""
    golden_q, golden_p = goldens.queries_vectors, goldens.passages_vectors
    if golden_q is None or golden_p is None or goldens.scores is None:
        raise InvalidManifest("goldens.json holds no token vectors; export again")
    pairs = [*zip(golden_q, queries, strict=True), *zip(golden_p, passages, strict=True)]
    difference = _largest(golden.differences(rows) for golden, rows in pairs)
    if difference == math.inf:
        return OTHER_SHAPE
    return Comparison.model_construct(
        max_abs_diff=difference, min_tau=smallest_tau(scores, goldens.scores.rows())
    )


def _only(row: Mapping[int, float], kept: Iterable[int]) -> dict[int, float]:
    return {token: row[token] for token in kept if token in row}


def _dot_products(queries: SparseRows, passages: SparseRows) -> list[list[float]]:
    return [
        [math.fsum(weight * p.get(token, 0.0) for token, weight in q.items()) for p in passages]
        for q in queries
    ]


def _largest(differences: Iterable[Iterable[float]]) -> float:
    """NaN where any number is NaN."""
    found = list(chain.from_iterable(differences))
    return math.nan if any(map(math.isnan, found)) else max(found, default=0.0)
