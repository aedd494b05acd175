"""Token weights and token vectors as arrays in which nothing that differs can hide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import FloatArray, maxsim
from bicross.runtime.ranking.figures import largest_difference, smallest_cosine
from bicross.runtime.sparse_encoder import sparse_vector
from onnx_export.gate.token_outputs import (
    aligned,
    densified,
    directions,
    maxsim_scores,
    own_vectors,
    padded,
    smallest_active_overlap,
    token_vectors_tolerance,
    weights_tolerance,
)

WEIGHT = st.floats(0, 9, width=32, allow_subnormal=False)
LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def matrices(lengths: list[int], seed: int = 1) -> list[FloatArray]:
    drawn = np.random.default_rng(seed)
    return [drawn.normal(size=(length, 4)).astype(np.float32) for length in lengths]


@given(st.lists(st.lists(WEIGHT, min_size=5, max_size=5), min_size=1))
def test_densified_weights_are_what_they_were(rows: list[list[float]]) -> None:
    dense = np.array(rows, np.float32)
    assert np.array_equal(densified([sparse_vector(row) for row in dense], 5), dense)


@given(LENGTHS)
def test_padded_vectors_are_found_again(lengths: list[int]) -> None:
    whole = matrices(lengths)
    for before, after in zip(whole, own_vectors(padded(whole)), strict=True):
        assert np.array_equal(before, after)


@given(LENGTHS, LENGTHS)
def test_maxsim_of_padded_vectors_is_that_of_the_texts(first: list[int], second: list[int]) -> None:
    queries, passages = matrices(first), matrices(second, seed=2)
    expected = maxsim(queries, passages)
    assert np.array_equal(maxsim_scores(padded(queries), padded(passages)), expected)


@pytest.mark.parametrize("lengths", [[2, 3], [3, 4], [3, 6]], ids=["fewer", "more", "longest"])
def test_text_with_another_number_of_vectors_differs_by_a_whole_one(lengths: list[int]) -> None:
    reference = [np.ones((3, 4), np.float32), np.ones((4, 4), np.float32)]
    ours = [np.ones((length, 4), np.float32) for length in lengths]
    values, expected = aligned(padded(ours), padded(reference))
    assert values.shape == expected.shape
    assert largest_difference(values, expected) == (0 if lengths == [3, 4] else 1)


def test_vectors_that_both_lack_have_no_direction() -> None:
    whole = padded(matrices([2, 5]))
    ours, reference = directions(whole, whole)
    assert len(ours) == 7
    assert smallest_cosine(ours, reference) == pytest.approx(1)


def test_vector_that_one_side_lacks_has_no_cosine_and_fails() -> None:
    ours, reference = directions(padded(matrices([2, 1])), padded(matrices([2, 2])))
    assert np.isnan(smallest_cosine(ours, reference))


@pytest.mark.parametrize(
    ("ours", "overlap"),
    [
        ([4.0, 2.0, 0.0, 0.0], 1.0),
        ([4.0, 2.0, 0.03, 0.0], 1.0),
        ([4.0, 2.0, 1.0, 0.0], 2 / 3),
        ([4.0, 0.0, 0.0, 0.0], 1 / 2),
        ([4.0, 0.0, 1.0, 0.0], 1 / 3),
    ],
    ids=["same", "below the floor", "one more", "one fewer", "another"],
)
def test_active_tokens_are_compared_as_sets(ours: list[float], overlap: float) -> None:
    reference = np.array([[4.0, 2.0, 0.0, 0.0]], np.float32)
    found = smallest_active_overlap(np.array([ours], np.float32), reference, 1e-5)
    assert found == pytest.approx(overlap)


def test_token_at_the_floor_may_be_on_either_side() -> None:
    reference = np.array([[100.0, 1.0]], np.float32)
    for weight in (1 - 1e-5, 1 + 1e-5):
        ours = np.array([[100.0, weight]], np.float32)
        assert smallest_active_overlap(ours, reference, 1e-5) == 1


def test_product_moves_by_the_weights_of_the_tokens_that_both_have() -> None:
    queries = np.array([[3.0, 0.0, 5.0]], np.float32)
    passages = np.array([[2.0, 7.0, 0.0], [0.0, 4.0, 0.0]], np.float32)
    found = weights_tolerance(queries, passages)
    assert found.score == pytest.approx((3 + 2) * found.value)


def test_tolerances_grow_with_what_is_compared() -> None:
    weights = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], np.float32)
    few, many = (weights_tolerance(factor * weights, factor * weights) for factor in (4, 16))
    assert many.value == pytest.approx(4 * few.value)
    assert many.score == pytest.approx(16 * few.score)
    queries, passages = padded(matrices([2])), padded(matrices([3]))
    longer = padded(matrices([2]) + matrices([6]))
    short = token_vectors_tolerance(queries, passages)
    assert token_vectors_tolerance(longer, passages).score > short.score
