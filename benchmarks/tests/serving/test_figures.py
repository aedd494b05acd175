import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.serving.figures import percentile, rotated, shares, speedup

NUMBERS = st.lists(st.floats(0.001, 1e6), min_size=1)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 50) == 2.0
    assert percentile([3.0, 1.0, 2.0, 4.0], 99) == 4.0


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(percentile([], 99))


@given(NUMBERS, st.floats(0, 100))
def test_at_least_the_percent_of_values_do_not_exceed_it(
    values: list[float], percent: float
) -> None:
    found = percentile(values, percent)
    assert sum(value <= found for value in values) * 100 >= percent * len(values) - 1e-6
    assert found in values


def test_a_slow_round_does_not_move_the_speedup() -> None:
    assert speedup([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0


@given(NUMBERS)
def test_a_variant_is_as_fast_as_itself(seconds: list[float]) -> None:
    assert speedup(seconds, seconds) == 1.0


@given(st.lists(st.integers()), st.integers(0, 20))
def test_rotation_keeps_each_once(items: list[int], by: int) -> None:
    assert sorted(rotated(items, by)) == sorted(items)


def test_each_begins_once_in_as_many_rounds_as_there_are() -> None:
    assert [rotated("abc", number)[0] for number in range(3)] == ["a", "b", "c"]


def test_shares_are_of_the_whole_largest_first() -> None:
    assert list(shares({"a": 1.0, "b": 3.0}).items()) == [("b", 0.75), ("a", 0.25)]


@pytest.mark.parametrize("amounts", [{}, {"a": 0.0}], ids=["none", "nothing"])
def test_shares_of_nothing_are_nothing(amounts: dict[str, float]) -> None:
    assert sum(shares(amounts).values()) == 0.0
