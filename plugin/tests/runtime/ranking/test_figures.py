import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bicross.runtime.ranking.figures import (
    largest_difference,
    overlaps,
    smallest_cosine,
    smallest_tau,
    taus,
    widest_swap,
)
from onnx_export.gate.tolerance import Tolerance, lowest_tau

PASSAGES = 12
# Half-tolerance steps in a narrow range: many passages are near ties, none are equal.
ROWS = st.lists(st.integers(-40, 40), min_size=PASSAGES, max_size=PASSAGES, unique=True)
SCORES = st.lists(ROWS, min_size=3, max_size=3).map(lambda rows: np.array(rows) * 0.005)
TIED = arrays(np.float64, (3, PASSAGES), elements=st.integers(-5, 5).map(float))
NOISE = arrays(np.float64, (3, PASSAGES), elements=st.floats(-1, 1, width=32), fill=st.nothing())
TOLERANCE = Tolerance(value=0.01, score=0.01)


def test_difference_is_the_largest_and_shapes_must_agree() -> None:
    assert largest_difference(np.array([[1.0, 2.0]]), np.array([[1.0, 2.5]])) == 0.5
    assert largest_difference(np.zeros((1, 2)), np.zeros((1, 3))) == math.inf
    assert math.isnan(largest_difference(np.array([[1.0, np.nan]]), np.array([[5.0, 0.0]])))


def test_cosine_is_that_of_the_worst_row() -> None:
    ours, reference = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 0.0], [3.0, 3.0]])
    assert math.isclose(smallest_cosine(ours, reference), math.sqrt(0.5))
    assert math.isnan(smallest_cosine(np.zeros((1, 2)), np.ones((1, 2))))


def test_tau_is_that_of_the_worst_query() -> None:
    reference = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    ours = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert smallest_tau(ours, reference) == -1.0
    assert taus(ours, reference).tolist() == [1.0, -1.0]


def test_overlap_counts_strangers_in_the_top_of_the_worst_query() -> None:
    reference = np.array([[4.0, 3.0, 2.0, 1.0]] * 2)
    ours = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 1.0, 2.0, 3.0]])
    assert overlaps(ours, reference, 2, 0.0).tolist() == [1.0, 0.5]


@given(SCORES, NOISE)
def test_scores_within_the_tolerance_never_fall_below_the_bounds(
    scores: np.ndarray, noise: np.ndarray
) -> None:
    """What the tolerance allows in numbers, the bounds of the ranking must allow as well."""
    ours = scores + 0.99 * TOLERANCE.score * noise
    # Exact ties lower tau-b by a square root more.
    assume(all(len(np.unique(row)) == len(row) for row in ours))
    assert smallest_tau(ours, scores) >= lowest_tau(scores, TOLERANCE)
    assert (overlaps(ours, scores, 10, TOLERANCE.score) == 1.0).all()


@given(TIED)
def test_overlap_of_a_ranking_with_itself_is_whole_even_with_ties(scores: np.ndarray) -> None:
    assert (overlaps(scores, scores, 10, 0.0) == 1.0).all()


def test_widest_swap_is_of_the_two_that_the_reference_holds_furthest_apart() -> None:
    reference = np.array([[4.0, 3.0, 2.0, 1.0], [9.0, 5.0, 1.0, 0.0]])
    ours = np.array([[3.0, 4.0, 2.0, 1.0], [5.0, 9.0, 8.0, 0.0]])
    found = widest_swap(ours, reference)
    assert found is not None
    assert (found.query, found.higher, found.lower) == (1, 0, 2)
    assert (found.gap, found.reference, found.ours) == (8.0, (9.0, 1.0), (5.0, 8.0))


@given(TIED, TIED)
def test_a_swap_is_found_exactly_where_two_passages_changed_places(
    ours: np.ndarray, reference: np.ndarray
) -> None:
    crossed = (ours[:, :, None] - ours[:, None, :]) * (
        reference[:, :, None] - reference[:, None, :]
    )
    assert (widest_swap(ours, reference) is not None) == bool((crossed < 0).any())
