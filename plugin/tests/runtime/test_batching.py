"""Batches cost what they compute, and lose or double no sequence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import TokenSequence, pad, plan_batches
from bicross.runtime.batching import padding_cost

lengths = st.lists(st.integers(1, 600), max_size=120)


def sequence(*ids: int) -> TokenSequence:
    return TokenSequence(np.array(ids, np.int32), np.ones(len(ids), np.int8), len(ids))


def test_padding_costs_as_much_as_a_token_where_the_graph_computes_on_it() -> None:
    assert padding_cost(8, skips_padding=False) == padding_cost(8000, skips_padding=False) == 1


def test_padding_that_attention_alone_sees_costs_more_in_longer_rows() -> None:
    costs = [padding_cost(longest, skips_padding=True) for longest in (8, 128, 512, 8000)]
    assert costs == [1 / 128, 1 / 8, 1 / 2, 1]


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


@pytest.mark.parametrize(
    "name", ["input_ids", "attention_mask", "token_type_ids", "pooling_mask", "position_ids"]
)
def test_arrays_are_int64_as_graphs_want_them(name: str) -> None:
    assert pad([sequence(1, 2)], pad_id=0)[name].dtype == np.int64


def test_rows_are_padded_on_the_left_where_asked() -> None:
    arrays = pad([sequence(5, 6, 7), sequence(8)], pad_id=1, side="left")
    assert arrays["input_ids"].tolist() == [[5, 6, 7], [1, 1, 8]]
    assert arrays["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]
    assert arrays["token_type_ids"].tolist() == [[1, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("side", "mask"),
    [("right", [[0, 0, 1, 1], [0, 0, 1, 0]]), ("left", [[0, 0, 1, 1], [0, 0, 0, 1]])],
)
def test_pooling_leaves_out_padding_and_prompt(side: Any, mask: list[list[int]]) -> None:
    rows = [replace(sequence(*ids), prompt_tokens=2) for ids in ((5, 6, 7, 8), (5, 6, 7))]
    assert pad(rows, 0, side)["pooling_mask"].tolist() == mask


def test_prompt_longer_than_its_row_leaves_nothing_to_pool() -> None:
    rows = [replace(sequence(5, 6), prompt_tokens=4), sequence(5, 6, 7)]
    assert pad(rows, 0)["pooling_mask"].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert pad(rows, 0, "left")["pooling_mask"].tolist() == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(("attends", "mask"), [(True, [1, 1, 1, 1]), (False, [1, 1, 0, 0])])
def test_expansion_is_seen_by_the_others_only_where_it_is_attended(
    attends: bool,
    mask: list[int],
) -> None:
    row = replace(sequence(5, 6, 103, 103), expanded=2, attends_expanded=attends)
    arrays = pad([row], pad_id=0)
    assert arrays["input_ids"].tolist() == [[5, 6, 103, 103]]
    assert arrays["attention_mask"].tolist() == [mask]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.sampled_from(["left", "right"]))
def test_positions_count_the_attended_tokens_of_a_row(lengths: list[int], side: Any) -> None:
    arrays = pad([sequence(*range(1, n + 1)) for n in lengths], 0, side)
    for row, length in enumerate(lengths):
        attended = arrays["attention_mask"][row] == 1
        assert arrays["position_ids"][row, attended].tolist() == list(range(length))
        assert arrays["input_ids"][row, attended].tolist() == list(range(1, length + 1))


def test_rows_without_a_token_are_one_token_wide() -> None:
    assert pad([sequence()], pad_id=3)["input_ids"].tolist() == [[3]]
