"""`_search` bodies, literally."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.queries import (
    Reranking,
    bm25_retriever,
    candidates,
    dense_retriever,
    rerank_retriever,
    search_body,
)

DENSE = {
    "knn": {
        "field": "text_vector",
        "k": 50,
        "num_candidates": 100,
        "query_vector_builder": {"bicross": {"model_id": "m@1f3a9c4b2d10", "model_text": "cats"}},
    }
}


def test_a_dense_first_pass() -> None:
    assert dense_retriever("text_vector", "m@1f3a9c4b2d10", "cats", 50) == DENSE


def test_a_second_pass_over_it() -> None:
    body = search_body(rerank_retriever(DENSE, "cats", Reranking("ce", "text", 50)), 10, ["text"])
    assert body == {
        "retriever": {
            "bicross_rerank": {
                "retriever": DENSE,
                "field": "text",
                "model_id": "ce",
                "model_text": "cats",
                "rank_window_size": 50,
            }
        },
        "size": 10,
        "_source": ["text"],
    }


def test_min_score_is_written_where_it_is_asked_for() -> None:
    body = rerank_retriever(DENSE, "cats", Reranking("ce", "text", 50, min_score=0.0))
    assert body["bicross_rerank"]["min_score"] == 0.0


def test_a_first_pass_over_words() -> None:
    assert bm25_retriever(["title", "text"], "cats") == {
        "standard": {"query": {"multi_match": {"query": "cats", "fields": ["title", "text"]}}}
    }


@given(k=st.integers(1, 10_000))
def test_candidates_are_within_what_elasticsearch_takes(k: int) -> None:
    assert k <= candidates(k) <= 10_000


@pytest.mark.parametrize(("k", "expected"), [(1, 100), (50, 100), (100, 200), (9_000, 10_000)])
def test_candidates_are_twice_the_neighbours(k: int, expected: int) -> None:
    assert candidates(k) == expected
