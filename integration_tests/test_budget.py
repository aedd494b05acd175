"""A rerank that ends in time, or fails: what was scored, then the first pass, never in silence."""

import json
import re
from typing import Any

import pytest
from animals import animal_documents, index_body
from real_models import RealCluster
from rest import JSON, Rest
from server_process import ServerProcess
from test_rerank import MATCH, ids, rerank
from wire import Wire

Hits = list[dict[str, Any]]

KEEP: dict[str, Any] = {"on_rerank_failure": "keep_first_pass"}
PARTIAL_ANSWERS = re.compile(r"scored (\d+) of (\d+) hits")


def search(rest: Rest, index: str, body: dict[str, Any]) -> tuple[Hits, list[str]]:
    """The hits, and the texts of the response's warnings."""
    answer = rest.http.post(f"/{index}/_search", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 200, answer.text
    warnings = [value.split('"')[1] for value in answer.headers.get_list("warning")]
    return answer.json()["hits"]["hits"], warnings


def counters(rest: Rest) -> dict[str, Any]:
    (row,) = rest.ok("GET", "/_bicross")["nodes"].values()
    return dict(row["counters"])


@pytest.fixture
def stopped_server(server: ServerProcess) -> Any:  # noqa: ANN401  a generator
    server.stop()
    yield
    server.start()


@pytest.mark.usefixtures("wire", "stopped_server")
def test_without_a_server_the_first_pass_stands_and_a_header_says_so(
    rest: Rest, animals: str
) -> None:
    before = counters(rest)
    hits, warnings = search(rest, animals, {"retriever": rerank(**KEEP), "size": 50})
    first, _ = search(rest, animals, {"retriever": MATCH, "size": 50})
    assert ids(hits) == ids(first)
    scores = [hit["_score"] for hit in first]
    assert [hit["_score"] for hit in hits] == pytest.approx(scores, rel=1e-4)  # but for ties
    assert any("endpoint_unreachable" in warning for warning in warnings), warnings
    assert any("scored 0 of 50 hits" in warning for warning in warnings), warnings
    after = counters(rest)
    assert after["reranks_degraded"] - before["reranks_degraded"] == 1
    assert after["rerank_hits_unscored"] - before["rerank_hits_unscored"] == 50


@pytest.mark.usefixtures("wire", "stopped_server")
def test_a_failure_deep_in_a_nested_search_reaches_the_header(rest: Rest, animals: str) -> None:
    rescore = {"window_size": 10, "query": {"rescore_query": {"term": {"tag": "cat"}}}}
    body = {"rescorer": {"retriever": rerank(**KEEP), "rescore": rescore}}
    _, warnings = search(rest, animals, {"retriever": body, "size": 5})
    assert any("scored 0 of 50 hits" in warning for warning in warnings), warnings


@pytest.mark.usefixtures("wire", "stopped_server")
def test_a_search_that_takes_no_partial_results_fails(rest: Rest, animals: str) -> None:
    by_default = "search.default_allow_partial_results"
    rest.ok("PUT", "/_cluster/settings", {"persistent": {by_default: False}})
    try:
        status, error = rest.error("POST", f"/{animals}/_search", {"retriever": rerank(**KEEP)})
    finally:
        rest.ok("PUT", "/_cluster/settings", {"persistent": {by_default: None}})
    assert status == 503
    assert "endpoint_unreachable" in error


def test_a_rerank_in_time_warns_of_nothing(rest: Rest, animals: str) -> None:
    body = {"retriever": rerank(budget=60_000, **KEEP), "size": 50}
    hits, warnings = search(rest, animals, body)
    assert warnings == []
    assert ids(hits) == ids(rest.hits(animals, {"retriever": rerank(), "size": 50}))


def test_a_budget_too_short_fails_the_search_unless_told_otherwise(
    rest: Rest,
    wire: Wire,
    animals: str,
) -> None:
    with wire.stalled():
        status, error = rest.error("POST", f"/{animals}/_search", {"retriever": rerank(budget=50)})
        hits, warnings = search(rest, animals, {"retriever": rerank(budget=50, **KEEP)})
    assert status == 504
    assert "[budget]" in error
    assert ids(hits) == ids(rest.hits(animals, {"retriever": MATCH, "size": 50}))
    assert any("deadline_exceeded" in warning for warning in warnings), warnings


@pytest.fixture(scope="module")
def passages(real: RealCluster) -> str:
    """200 passages of some 40 tokens, whose reranking takes the real model a while."""
    body = index_body("_none")
    real.rest.ok("PUT", "/long-passages", body)
    long = [
        (name, {**document, "text": f"{document['text']} " * 3})
        for name, document in animal_documents(200)
    ]
    real.rest.bulk("long-passages", long)
    return "long-passages"


def test_what_was_scored_within_the_budget_stands_above_the_rest_of_the_first_pass(
    real: RealCluster, passages: str
) -> None:
    model: dict[str, Any] = {"model_id": "ms-marco-MiniLM-L12-v2", "rank_window_size": 200}
    whole = real.rest.hits(passages, {"retriever": rerank(**model), "size": 200})
    scores = {hit["_id"]: hit["_score"] for hit in whole}
    first = ids(real.rest.hits(passages, {"retriever": MATCH, "size": 200}))
    budget, scored = 25, 0
    while scored == 0:
        budget *= 2
        before = counters(real.rest)
        terms = {**model, "budget": budget, **KEEP}
        body = {"retriever": rerank(**terms), "size": 200, "explain": True}
        hits, warnings = search(real.rest, passages, body)
        told = PARTIAL_ANSWERS.search(" ".join(warnings)) or pytest.fail(f"{budget}: {warnings}")
        scored, asked = int(told[1]), int(told[2])
        unscored = counters(real.rest)["rerank_hits_unscored"] - before["rerank_hits_unscored"]
        assert (asked, unscored) == (len(first), len(first) - scored)
        assert len(hits) == len(first)
    assert [hit["_score"] for hit in hits] == sorted((h["_score"] for h in hits), reverse=True)
    above, below = ids(hits)[:scored], ids(hits)[scored:]
    assert [hit["_score"] for hit in hits[:scored]] == pytest.approx(
        [scores[name] for name in above], rel=1e-3
    )
    assert below == [name for name in first if name in set(below)]
    late = ["no score in time" in json.dumps(hit["_explanation"]) for hit in hits]
    assert late == [False] * scored + [True] * len(below)
