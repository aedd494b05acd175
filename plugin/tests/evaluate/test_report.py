"""What evaluate prints: every mean beside its counts, nothing partial compared."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bicross.evaluate.dataset import Collection
from bicross.evaluate.report import Report, build_report, print_report
from bicross.evaluate.runs import BM25, DENSE, RERANKED, Run

QUERIES = [f"q{n}" for n in range(10)]
COLLECTION = Collection(
    "tiny",
    Path("corpus.jsonl"),
    3,
    dict.fromkeys(QUERIES, "text"),
    {query: {"good": 1} for query in QUERIES},
    unjudged=2,
)


def run(name: str, *ranking: str, answered: int = 10, degraded: int = 0) -> Run:
    return Run(
        name,
        rankings={query: list(ranking) for query in QUERIES[:answered]},
        latencies_ms=[5.0] * answered,
        degraded=degraded,
        unanswered=dict.fromkeys(QUERIES[answered:], "503 no server at [local]"),
    )


def report(reranked: Run, window: int = 100) -> Report:
    runs = [run(BM25, "bad"), run(DENSE, "bad", "good"), reranked]
    return build_report(COLLECTION, {"window": window}, runs, ["a node of some kind"])


def printed(made: Report) -> str:
    stream = io.StringIO()
    print_report(Console(width=200, file=stream), made)
    return stream.getvalue()


def test_a_gain_is_measured_compared_and_put_into_words() -> None:
    text = printed(report(run(RERANKED, "good", "bad")))
    assert "dense + rerank raises nDCG@10 over dense" in text
    assert "paired bootstrap over queries, 10000 resamples, seed 1" in text
    assert "Best mean nDCG@10 here: dense + rerank." in text


def test_a_loss_is_said_as_loudly() -> None:
    assert "dense + rerank LOWERS nDCG@10 below dense" in printed(
        report(run(RERANKED, "bad", "worse", "good"))
    )


def test_counts_stand_beside_every_mean() -> None:
    rows = [line.split() for line in printed(report(run(RERANKED, "good"))).splitlines()]
    assert ["dense", "0.6309", "1.0000", "5", "5", "10", "10", "0"] in rows
    assert "10 judged queries asked (2 without a positive judgement left out)" in printed(
        report(run(RERANKED, "good"))
    )


def test_an_unanswered_query_counts_as_zero_and_the_run_is_not_compared() -> None:
    made = report(run(RERANKED, "good", answered=5))
    assert made.rows[2].ndcg_10 == 0.5
    assert made.comparison is None
    assert (
        "5 queries were refused and count as zero; the first reason: 503 no server at [local]"
        in printed(made)
    )
    assert "Best mean" not in printed(made)


def test_a_degraded_run_is_not_compared() -> None:
    made = report(run(RERANKED, "good", degraded=1))
    assert made.comparison is None
    assert "1 answers came with a warning" in printed(made)


@pytest.mark.parametrize(("window", "told"), [(50, True), (100, False)])
def test_a_window_below_the_cutoff_of_recall_is_told(window: int, told: bool) -> None:
    text = printed(report(run(RERANKED, "good"), window))
    assert ("so recall@100 is theirs" in text) is told


def test_the_record_is_json_and_holds_what_is_printed() -> None:
    record = json.loads(json.dumps(report(run(RERANKED, "good", "bad")).record()))
    assert record["runs"][1]["name"] == DENSE
    assert record["rerank_against_first_pass"]["verdict"] == "better"
    assert record["notes"] == ["a node of some kind"]
    assert record["queries_judged"] == 10
