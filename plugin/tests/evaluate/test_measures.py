"""Values per query: known ones, the order of the hits kept, nothing vanishing from a mean."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.evaluate.measures import NDCG_10, RECALL_100, mean, per_query, percentile

QRELS = {"q1": {"a": 3, "b": 1, "c": 0}, "q2": {"d": 1}}


def test_ndcg_at_10_has_its_textbook_value() -> None:
    found = per_query(NDCG_10, QRELS, {"q1": ["x", "b", "a"], "q2": ["d"]})
    gained = 1 / math.log2(3) + 3 / math.log2(4)
    ideal = 3 / math.log2(2) + 1 / math.log2(3)
    assert found["q1"] == pytest.approx(gained / ideal, abs=1e-9)
    assert found["q2"] == 1.0


def test_recall_at_100_counts_relevant_documents_alone() -> None:
    assert per_query(RECALL_100, QRELS, {"q1": ["c", "b"]})["q1"] == 0.5


def test_a_hit_below_the_cutoff_counts_for_neither() -> None:
    fill = [f"x{n}" for n in range(100)]
    assert per_query(NDCG_10, {"q": {"a": 1}}, {"q": [*fill[:10], "a"]}) == {"q": 0.0}
    assert per_query(RECALL_100, {"q": {"a": 1}}, {"q": [*fill, "a"]}) == {"q": 0.0}


def test_a_judged_query_that_the_run_lacks_counts_as_zero() -> None:
    found = per_query(NDCG_10, QRELS, {"q2": ["d"]})
    assert found == {"q1": 0.0, "q2": 1.0}
    assert mean(found) == 0.5


def test_an_empty_ranking_counts_as_zero() -> None:
    assert per_query(NDCG_10, QRELS, {"q1": [], "q2": []}) == {"q1": 0.0, "q2": 0.0}


def test_an_unjudged_query_of_the_run_does_not_enter() -> None:
    assert per_query(NDCG_10, QRELS, {"q1": ["a"], "other": ["d"]}).keys() == QRELS.keys()


def test_the_order_of_the_hits_is_the_order_measured_whatever_the_ids() -> None:
    for first, second in (("a", "b"), ("b", "a")):
        qrels = {"q": {first: 1}}
        ahead = per_query(NDCG_10, qrels, {"q": [first, second]})["q"]
        behind = per_query(NDCG_10, qrels, {"q": [second, first]})["q"]
        assert ahead > behind


@given(ranking=st.permutations([f"d{n}" for n in range(12)]), rank=st.integers(1, 11))
def test_moving_a_relevant_hit_up_never_lowers_ndcg(ranking: list[str], rank: int) -> None:
    relevant = ranking[rank]
    better = [*ranking[: rank - 1], relevant, ranking[rank - 1], *ranking[rank + 1 :]]
    qrels = {"q": {relevant: 1}}
    assert (
        per_query(NDCG_10, qrels, {"q": better})["q"]
        >= per_query(NDCG_10, qrels, {"q": ranking})["q"]
    )


def test_the_mean_of_nothing_is_no_number() -> None:
    assert math.isnan(mean({}))


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 2.0), (75, 3.0), (95, 4.0), (100, 4.0)]
)
def test_percentiles_are_values_that_occurred(percent: float, expected: float) -> None:
    assert percentile([3.0, 1.0, 4.0, 2.0], percent) == expected


def test_the_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 50))
