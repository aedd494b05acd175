"""Golden token weights and token vectors are small, and notice what differs from them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bicross.bundle.token_records import (
    KEPT_VECTORS,
    KEPT_WEIGHTS,
    TokenVectors,
    TokenWeights,
    sampled_rows,
)

WEIGHTS = st.dictionaries(
    st.integers(0, 50_000), st.floats(2**-10, 64, width=32), max_size=KEPT_WEIGHTS + 40
)


@given(WEIGHTS)
def test_weights_of_a_row_differ_from_it_by_their_tenth_digit(weights: dict[int, float]) -> None:
    differences = TokenWeights.of(weights).differences(weights)
    assert max(differences, default=0.0) <= 1e-8 * max(weights.values(), default=0.0)


@given(WEIGHTS)
def test_kept_weights_are_the_largest(weights: dict[int, float]) -> None:
    kept = TokenWeights.of(weights)
    assert len(kept.ids) == min(len(weights), KEPT_WEIGHTS)
    left = [weight for token, weight in weights.items() if token not in kept.by_id]
    assert max(left, default=0.0) == pytest.approx(kept.rest, rel=1e-8)
    assert all(weight >= kept.rest for weight in kept.weights)


def test_missing_token_differs_by_its_weight_and_a_new_one_by_its_own() -> None:
    kept = TokenWeights.of({1: 3.0, 2: 1.0})
    assert sorted(kept.differences({2: 1.5, 7: 0.25})) == [0.25, 0.5, 3.0]


def test_token_that_was_left_out_may_have_up_to_the_largest_weight_left_out() -> None:
    many = {token: 10.0 + token for token in range(KEPT_WEIGHTS)} | {900: 2.0, 901: 1.0}
    kept = TokenWeights.of(many)
    assert kept.rest == 2.0
    assert max(kept.differences(many | {901: 2.0})) == 0
    assert max(kept.differences(many | {901: 2.5})) == 0.5


def test_text_without_active_tokens_has_empty_goldens() -> None:
    assert TokenWeights.of({}) == TokenWeights(ids=(), weights=())


@pytest.mark.parametrize("change", [{"ids": (1, 1)}, {"ids": (1,)}, {"weights": (1.0, -1.0)}])
def test_weights_that_fit_no_tokens_are_refused(change: dict[str, object]) -> None:
    raw = {"ids": (1, 2), "weights": (1.0, 2.0)} | change
    with pytest.raises(ValidationError):
        TokenWeights.model_validate(raw)


@given(st.integers(1, 600))
def test_sampled_rows_are_few_and_hold_both_ends(tokens: int) -> None:
    rows = sampled_rows(tokens)
    assert rows == sorted(set(rows))
    assert len(rows) == min(tokens, KEPT_VECTORS)
    assert (rows[0], rows[-1]) == (0, tokens - 1)


def test_vectors_of_another_number_of_tokens_differ_infinitely() -> None:
    kept = TokenVectors.of([[1.0, 0.0], [0.0, 1.0]])
    assert list(kept.differences([[1.0, 0.0], [0.5, 1.0]])) == [0.0, 0.0, 0.5, 0.0]
    assert list(kept.differences([[1.0, 0.0]])) == [math.inf]
    assert list(kept.differences([[1.0], [0.0]])) == [math.inf]


def test_vectors_that_are_not_the_sampled_ones_are_refused() -> None:
    raw = TokenVectors.of([[1.0], [2.0]]).model_dump() | {"tokens": 3}
    with pytest.raises(ValidationError, match="2 vectors of 3 tokens"):
        TokenVectors.model_validate(raw)
