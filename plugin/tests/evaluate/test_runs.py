"""One kind of search over every query: timed, and what went wrong counted."""

from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, ConnectionTimeout, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from bicross.cluster.searching import Answer
from bicross.errors import UsageError
from bicross.evaluate.runs import (
    BM25,
    DENSE,
    DEPTH,
    RERANKED,
    Configuration,
    Models,
    configurations,
    run_queries,
)

QUERIES = {"q1": "one", "q2": "two"}
PLAIN = Configuration("plain", lambda text: {"text": text})


def answer(*ids: str, warnings: tuple[str, ...] = ()) -> Answer:
    return Answer({"took": 3, "hits": {"hits": [{"_id": each} for each in ids]}}, warnings)


def api_error(status: int) -> ApiError:
    node = NodeConfig("http", "127.0.0.1", 9200)
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, node)
    return ApiError("scripted", meta, {"error": {"type": "scripted", "reason": "overloaded"}})


class Clock:
    """Seconds that pass only when a search is made."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def bodies(window: int) -> dict[str, dict[str, Any]]:
    models = Models("bi@1f3a9c4b2d10", "cross@0badc0ffee12", window)
    return {each.name: each.body("cats") for each in configurations(models, "v", "passage")}


def test_three_searches_of_one_query_return_ids_alone() -> None:
    made = bodies(100)
    assert list(made) == [BM25, DENSE, RERANKED]
    assert {body["size"] for body in made.values()} == {DEPTH}
    assert not any(body["_source"] for body in made.values())


def test_bm25_reads_title_and_text() -> None:
    assert bodies(100)[BM25]["retriever"]["standard"]["query"]["multi_match"] == {
        "query": "cats",
        "fields": ["title", "text"],
    }


@pytest.mark.parametrize(("window", "size"), [(20, 20), (100, 100), (200, 100)])
def test_reranking_works_on_the_dense_runs_own_hits(window: int, size: int) -> None:
    made = bodies(window)
    reranked = made[RERANKED]["retriever"]["bicross_rerank"]
    assert (made[RERANKED]["size"], reranked["rank_window_size"]) == (size, window)
    first = reranked["retriever"]["knn"]
    assert first["k"] == max(window, DEPTH)
    assert first["query_vector_builder"] == made[DENSE]["retriever"]["knn"]["query_vector_builder"]


def test_the_first_query_opens_connections_unmeasured() -> None:
    clock, asked = Clock(), []

    def search(body: dict[str, Any]) -> Answer:
        asked.append(body["text"])
        clock.now += 9.0 if len(asked) == 1 else 0.25
        return answer("d1")

    run = run_queries(search, PLAIN, QUERIES, lambda *_: None, clock)
    assert asked == ["one", "one", "two"]
    assert run.latencies_ms == [250.0, 250.0]
    assert run.rankings == {"q1": ["d1"], "q2": ["d1"]}
    assert run.whole


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UsageError("the search was refused: 400"), "the search was refused: 400"),
        (ConnectionTimeout("took too long"), "took too long"),
    ],
)
def test_a_refused_query_is_unanswered_with_its_reason_and_the_rest_goes_on(
    error: Exception,
    reason: str,
) -> None:
    def search(body: dict[str, Any]) -> Answer:
        if body["text"] == "one":
            raise error
        return answer("d2")

    run = run_queries(search, PLAIN, QUERIES, lambda *_: None)
    assert list(run.rankings) == ["q2"]
    assert run.unanswered == {"q1": reason}
    assert len(run.latencies_ms) == 1
    assert not run.whole


@pytest.mark.parametrize(("status", "asked"), [(429, 3), (503, 3), (504, 3), (502, 1), (500, 1)])
def test_overload_and_deadlines_are_asked_again_twice_and_other_errors_are_not(
    status: int, asked: int
) -> None:
    calls = 0

    def search(body: dict[str, Any]) -> Answer:
        nonlocal calls
        calls += body["text"] == "two"
        if body["text"] == "two":
            raise api_error(status)
        return answer("d1")

    run = run_queries(search, PLAIN, QUERIES, lambda *_: None)
    assert (calls, run.repeated) == (asked, asked - 1)
    assert run.unanswered == {"q2": f"{status} scripted: overloaded"}


def test_only_the_attempt_that_was_answered_is_timed() -> None:
    clock = Clock()
    refusals = [api_error(504), api_error(429)]

    def search(body: dict[str, Any]) -> Answer:
        if body["text"] == "two" and refusals:
            clock.now += 30.0
            raise refusals.pop()
        clock.now += 0.5
        return answer("d1")

    run = run_queries(search, PLAIN, QUERIES, lambda *_: None, clock)
    assert run.latencies_ms == [500.0, 500.0]
    assert (run.repeated, run.whole) == (2, True)


def test_an_answer_with_a_warning_is_degraded() -> None:
    run = run_queries(
        lambda _: answer("d1", warnings=("bicross: not reranked",)),
        PLAIN,
        QUERIES,
        lambda *_: None,
    )
    assert (run.degraded, run.whole) == (2, False)


def test_progress_ends_at_the_number_of_queries() -> None:
    seen: list[tuple[int, int]] = []
    run_queries(lambda _: answer(), PLAIN, QUERIES, lambda done, of: seen.append((done, of)))
    assert seen == [(1, 2), (2, 2)]
