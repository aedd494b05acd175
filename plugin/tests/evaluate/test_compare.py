"""The paired interval: it finds what is there, and claims nothing that is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bicross.evaluate.compare import compare, in_words


def values(numbers: list[float]) -> dict[str, float]:
    return {f"q{position}": number for position, number in enumerate(numbers)}


def test_a_constant_gain_has_an_interval_of_no_width() -> None:
    found = compare(values([0.1] * 20), values([0.3] * 20))
    assert found.difference == pytest.approx(0.2)
    assert [found.low, found.high] == pytest.approx([0.2, 0.2])
    assert (found.verdict, found.better, found.worse, found.equal) == ("better", 20, 0, 0)


def test_losing_and_gaining_are_mirror_images() -> None:
    first, second = values([0.2, 0.9, 0.4, 0.5]), values([0.5, 0.7, 0.9, 0.8])
    gain, loss = compare(first, second), compare(second, first)
    assert gain.difference == pytest.approx(-loss.difference)
    assert [gain.low, gain.high] == pytest.approx([-loss.high, -loss.low])
    assert (gain.better, gain.worse) == (loss.worse, loss.better)


def test_a_difference_of_few_queries_is_not_shown() -> None:
    assert compare(values([0.0, 1.0, 0.5]), values([1.0, 0.0, 0.6])).verdict == "not shown"


def test_a_clear_loss_is_called_worse() -> None:
    first, second = values([0.9, 0.8, 1.0, 0.7] * 5), values([0.1, 0.3, 0.2, 0.4] * 5)
    found = compare(first, second)
    assert found.verdict == "worse"
    assert "LOWERS nDCG@10 below dense" in in_words(found, "nDCG@10", "dense", "dense + rerank")


def test_the_same_input_gives_the_same_interval() -> None:
    first, second = values([0.1, 0.5, 0.9]), values([0.3, 0.4, 0.95])
    assert compare(first, second) == compare(first, second)


def test_the_interval_is_near_that_of_the_normal_law_where_that_holds() -> None:
    drawn = np.random.default_rng(7).normal(0.05, 0.1, size=400)
    found = compare(values([0.0] * 400), values(drawn.tolist()))
    spread = 1.96 * drawn.std(ddof=1) / np.sqrt(400)
    assert found.low == pytest.approx(drawn.mean() - spread, abs=0.002)
    assert found.high == pytest.approx(drawn.mean() + spread, abs=0.002)


@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_the_mean_difference_lies_within_its_interval(numbers: list[tuple[float, float]]) -> None:
    found = compare(values([a for a, _ in numbers]), values([b for _, b in numbers]))
    assert found.low - 1e-12 <= found.difference <= found.high + 1e-12
    assert found.better + found.worse + found.equal == len(numbers)


@pytest.mark.parametrize("second", [{}, {"q0": 1.0, "q1": 1.0}])
def test_other_queries_on_one_side_are_refused(second: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="same queries"):
        compare({"q0": 1.0} if second else {}, second)


def test_words_say_no_more_than_the_interval() -> None:
    found = compare(values([0.5, 0.5]), values([0.6, 0.4]))
    words = in_words(found, "nDCG@10", "dense", "dense + rerank")
    assert words.startswith("no difference in nDCG@10 between dense + rerank and dense is shown")
    assert "better on 1 queries, worse on 1, equal on 0" in words
