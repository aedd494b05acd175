"""First pass and reranked order side by side."""

from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.stages import Hit, among_the_first, parse_hits, rank_changes


def hits(*ids: str) -> list[Hit]:
    return [Hit(each, 1.0 / rank) for rank, each in enumerate(ids, start=1)]


def test_a_hit_that_rose_and_one_that_fell() -> None:
    changes = rank_changes(hits("a", "b", "c"), hits("c", "a", "b"))
    assert [(each.hit.id, each.first_rank, each.second_rank, each.rise) for each in changes] == [
        ("c", 3, 1, 2),
        ("a", 1, 2, -1),
        ("b", 2, 3, -1),
    ]


def test_a_hit_that_reranking_left_out_comes_last_with_its_first_rank() -> None:
    last = rank_changes(hits("a", "b"), hits("b"))[-1]
    assert (last.hit.id, last.first_rank, last.second_rank, last.rise) == ("a", 1, None, None)


def test_the_first_of_either_order_are_kept_in_the_reranked_order() -> None:
    changes = rank_changes(hits("a", "b", "c", "d"), hits("d", "b", "c", "a"))
    assert [each.hit.id for each in among_the_first(changes, 1)] == ["d", "a"]
    assert among_the_first(changes, 4) == changes


def test_a_hit_keeps_the_score_of_each_stage() -> None:
    [change] = rank_changes([Hit("a", 0.7)], [Hit("a", 4.2)])
    assert (change.first_score, change.hit.score) == (0.7, 4.2)


@given(ids=st.lists(st.text(min_size=1, max_size=3), unique=True), data=st.data())
def test_every_hit_of_both_orders_stands_once_and_rises_cancel_out(
    ids: list[str], data: st.DataObject
) -> None:
    changes = rank_changes(hits(*ids), hits(*data.draw(st.permutations(ids))))
    assert sorted(change.hit.id for change in changes) == sorted(ids)
    assert sum(change.rise or 0 for change in changes) == 0


def test_hits_are_read_from_an_answer_in_its_order() -> None:
    answer = {
        "hits": {
            "hits": [{"_id": "b", "_score": 2.0, "_source": {"t": 1}}, {"_id": "a", "_score": 1}]
        }
    }
    assert parse_hits(answer) == [Hit("b", 2.0, {"t": 1}), Hit("a", 1.0)]
