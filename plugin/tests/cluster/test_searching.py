"""Which search an index is meant for, and the bodies made of it."""

from typing import Any

import pytest

from bicross.cluster.connection import Cluster
from bicross.cluster.searching import (
    SearchChoice,
    SearchRequest,
    SearchTarget,
    bodies,
    run_search,
    search_target,
    target_from_mapping,
)
from bicross.errors import UsageError

META = {
    "fields": {"text_vector": {"input_field": "text", "model_id": "minilm@1f3a9c4b2d10"}},
    "reranker": {"model_id": "ms-marco@0badc0ffee12"},
}
TARGET = SearchTarget("text_vector", "text", "minilm@1f3a9c4b2d10", "ms-marco@0badc0ffee12")


def target(meta: dict[str, Any] | None = META, **choice: str) -> SearchTarget:
    mapping = {"_meta": {"bicross": meta}} if meta is not None else {}
    return target_from_mapping("docs", mapping, SearchChoice(**choice))


def test_the_index_says_how_it_is_searched() -> None:
    assert target() == TARGET


def test_the_callers_choice_wins() -> None:
    chosen = target(text_field="title", model_id="e5", reranker="bge")
    assert chosen == SearchTarget("text_vector", "title", "e5", "bge")


def test_an_index_made_by_hand_is_searched_by_options_alone() -> None:
    chosen = target(None, vector_field="v", text_field="t", model_id="m")
    assert chosen == SearchTarget("v", "t", "m", None)


@pytest.mark.parametrize(
    ("choice", "option"),
    [
        ({}, "--vector-field"),
        ({"vector_field": "v"}, "--model"),
        ({"vector_field": "v", "model_id": "m"}, "--field"),
    ],
)
def test_what_is_not_told_is_asked_for_by_its_option(choice: dict[str, str], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        target(None, **choice)


def test_an_unknown_index_is_named(script: Any, cluster: Cluster) -> None:
    script.routes["/docs/_mapping"] = (404, {"error": "index_not_found_exception"})
    with pytest.raises(UsageError, match="no index or alias docs"):
        search_target(cluster.client, "docs", SearchChoice())


def request(**changes: Any) -> SearchRequest:
    return SearchRequest("docs", "cats", **changes)


def test_a_known_reranker_is_used_with_a_window_that_covers_the_size() -> None:
    body = bodies(TARGET, request(size=80)).answer
    reranked = body["retriever"]["bicross_rerank"]
    assert (body["size"], reranked["rank_window_size"]) == (80, 80)
    assert reranked["retriever"]["knn"]["k"] == 80


def test_without_reranking_only_the_first_pass_is_asked() -> None:
    assert list(bodies(TARGET, request(rerank=False)).answer["retriever"]) == ["knn"]


def test_both_stages_ask_for_the_whole_window_twice() -> None:
    both = bodies(TARGET, request(window=20, both_stages=True))
    first, second = both.in_order()
    assert first["retriever"] == second["retriever"]["bicross_rerank"]["retriever"]
    assert (first["size"], second["size"]) == (20, 20)


def test_a_window_below_the_size_is_refused_with_both() -> None:
    with pytest.raises(UsageError, match=r"--window 5 is smaller than --size 10"):
        bodies(TARGET, request(window=5))


def test_reranking_without_a_reranker_names_the_option() -> None:
    bare = SearchTarget("v", "t", "m", None)
    with pytest.raises(UsageError, match="--reranker"):
        bodies(bare, request(rerank=True))
    assert "knn" in bodies(bare, request()).answer["retriever"]


def test_a_refused_search_says_why(script: Any, cluster: Cluster) -> None:
    reason = "[rank_window_size] must be at most 1000"
    error = {"root_cause": [{"type": "illegal_argument_exception", "reason": reason}]}
    script.routes["/docs/_search"] = (400, {"error": error})
    with pytest.raises(UsageError, match=r"400 illegal_argument_exception: \[rank_window_size\]"):
        run_search(cluster.client, "docs", {})
