import numpy as np
import pytest

from benchmarks.serving.server_rows import PLAIN, agreement, medians, ratios, ratios_to_best


def turns(singles: float, bulk: float, rerank: float, mixed: float) -> dict[str, dict[str, float]]:
    return {
        "singles": {"queries_per_s": singles},
        "bulk": {"tokens_per_s": bulk},
        "rerank": {"windows_per_s": rerank},
        "mixed": {"tokens_per_s": mixed},
    }


def rounds(*each: dict[str, dict[str, float]]) -> dict[str, list[dict[str, float]]]:
    return {name: [turn[name] for turn in each] for name in each[0]}


def test_a_figure_is_the_median_of_its_rounds() -> None:
    found = medians(rounds(turns(1, 10, 1, 9), turns(2, 10, 1, 9), turns(9, 10, 1, 9)))
    assert found["singles"]["queries_per_s"] == 2


def test_bulk_keeps_what_it_does_beside_queries_of_what_it_does_alone() -> None:
    found = medians(rounds(turns(1, 10, 1, 8), turns(1, 100, 1, 80)))
    assert found["bulk_kept"] == pytest.approx(0.8)


def test_bulk_that_never_ran_keeps_nothing_known() -> None:
    assert medians(rounds(turns(1, 0, 1, 0)))["bulk_kept"] is None


def test_ratios_are_within_a_round() -> None:
    found = {
        "ours": rounds(turns(4, 40, 4, 1), turns(400, 4000, 400, 1)),
        PLAIN: rounds(turns(2, 10, 1, 1), turns(200, 1000, 100, 1)),
    }
    assert ratios(found, "ours") == {"singles_x": 2.0, "bulk_x": 4.0, "rerank_x": 4.0}


def test_without_the_plain_server_there_are_no_ratios() -> None:
    assert ratios({"ours": rounds(turns(1, 1, 1, 1))}, "ours") == {}


def test_each_rounds_best_peer_is_what_ours_is_measured_by() -> None:
    found = {
        "bicross": rounds(turns(4, 40, 4, 1), turns(4, 40, 4, 1), turns(4, 40, 4, 1)),
        "bicross, another engine": rounds(*[turns(99, 99, 99, 1)] * 3),
        PLAIN: rounds(turns(1, 10, 2, 1), turns(2, 10, 2, 1), turns(2, 10, 2, 1)),
        "another": rounds(turns(2, 1, 1, 1), turns(1, 1, 1, 1), turns(1, 20, 1, 1)),
    }
    assert ratios_to_best(found, "bicross") == {
        "singles_x_best_peer": 2.0,
        "bulk_x_best_peer": 4.0,
        "rerank_x_best_peer": 2.0,
    }


def test_a_peer_has_no_ratio_to_the_best_nor_has_ours_without_peers() -> None:
    found = {"bicross": rounds(turns(1, 1, 1, 1)), PLAIN: rounds(turns(1, 1, 1, 1))}
    assert ratios_to_best(found, PLAIN) == {}
    assert ratios_to_best({"bicross": found["bicross"]}, "bicross") == {}


def test_servers_that_give_the_same_agree() -> None:
    answers = np.ones((2, 3), np.float32), np.arange(20, dtype=np.float32)
    assert agreement(answers, answers) == {
        "vectors_differ_by": 0.0,
        "window_overlap": 1.0,
        "window_tau": pytest.approx(1.0),
    }
