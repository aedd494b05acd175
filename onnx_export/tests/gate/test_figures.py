import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onnx_export.gate.figures import (
    largest_difference,
    smallest_cosine,
    smallest_overlap,
    smallest_tau,
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


def test_overlap_counts_strangers_in_the_top_of_the_worst_query() -> None:
    reference = np.array([[4.0, 3.0, 2.0, 1.0]] * 2)
    ours = np.array([[4.0, 3.0, 2.0, 1.0], [4.0, 1.0, 2.0, 3.0]])
    assert smallest_overlap(ours, reference, 2, 0.0) == 0.5


@given(SCORES, NOISE)
def test_scores_within_the_tolerance_never_fall_below_the_bounds(
    scores: np.ndarray, noise: np.ndarray
) -> None:
    """What the tolerance allows in numbers, the bounds of the ranking must allow as well."""
    ours = scores + 0.99 * TOLERANCE.score * noise
    # Exact ties lower tau-b by a square root more.
    assume(all(len(np.unique(row)) == len(row) for row in ours))
    assert smallest_tau(ours, scores) >= lowest_tau(scores, TOLERANCE)
    assert smallest_overlap(ours, scores, 10, TOLERANCE.score) == 1.0


@given(TIED)
def test_overlap_of_a_ranking_with_itself_is_whole_even_with_ties(scores: np.ndarray) -> None:
    assert smallest_overlap(scores, scores, 10, 0.0) == 1.0
