"""Batches cost what they compute, and lose or double no sequence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import TokenSequence, pad, plan_batches

lengths = st.lists(st.integers(1, 600), max_size=120)


def sequence(*ids: int) -> TokenSequence:
    return TokenSequence(np.array(ids, np.int32), np.ones(len(ids), np.int8), len(ids))


@given(lengths, st.integers(1, 4096), st.integers(1, 64))
def test_each_index_travels_exactly_once(found: list[int], budget: int, rows: int) -> None:
    batches = plan_batches(found, budget, rows)
    assert sorted(index for batch in batches for index in batch) == list(range(len(found)))


@given(lengths, st.integers(1, 4096), st.integers(1, 64))
def test_no_batch_is_over_its_budget_unless_one_sequence_is(
    found: list[int], budget: int, rows: int
) -> None:
    for batch in plan_batches(found, budget, rows):
        cost = max(found[index] for index in batch) * len(batch)
        assert len(batch) <= rows
        assert cost <= budget or len(batch) == 1


@given(lengths)
def test_longest_sequences_travel_first_and_equal_ones_keep_their_order(found: list[int]) -> None:
    order = [index for batch in plan_batches(found, 1024, 16) for index in batch]
    assert order == sorted(order, key=lambda index: (-found[index], index))


@given(lengths)
def test_a_batch_is_closed_only_when_the_next_sequence_does_not_fit(found: list[int]) -> None:
    batches = plan_batches(found, 1024, 16)
    for batch in batches[:-1]:
        assert len(batch) == 16 or found[batch[0]] * (len(batch) + 1) > 1024


def test_nothing_needs_no_batch() -> None:
    assert plan_batches([]) == []


def test_rows_are_padded_on_the_right_with_mask_zero() -> None:
    arrays = pad([sequence(5, 6, 7), sequence(8)], pad_id=1)
    assert arrays["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert arrays["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert arrays["token_type_ids"].tolist() == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("name", ["input_ids", "attention_mask", "token_type_ids"])
def test_arrays_are_int64_as_graphs_want_them(name: str) -> None:
    assert pad([sequence(1, 2)], pad_id=0)[name].dtype == np.int64
