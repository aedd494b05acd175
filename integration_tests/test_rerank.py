"""The retriever `bicross_rerank`, under everything else that a search may ask for."""

from typing import Any

import pytest
from animals import animal_documents, index_body
from rest import Rest
from server_process import ServerProcess

from bicross.runtime.scores import hit_score

Retriever = dict[str, Any]

QUERY = "horse milk"
MATCH: Retriever = {"standard": {"query": {"match": {"text": QUERY}}}}


def rerank(inner: Retriever | None = None, **more: Any) -> Retriever:  # noqa: ANN401
    return {
        "bicross_rerank": {
            "retriever": inner or MATCH,
            "field": "text",
            "model_id": "tiny-cross",
            "model_text": QUERY,
            "rank_window_size": 50,
            **more,
        }
    }


def dense(k: int = 50) -> Retriever:
    builder = {"bicross": {"model_id": "tiny-bi", "model_text": QUERY}}
    knn = {"field": "vector", "k": k, "num_candidates": 200, "query_vector_builder": builder}
    return {"knn": knn}


def ids(hits: list[dict[str, Any]]) -> list[str]:
    return [hit["_id"] for hit in hits]


def reranked_by_hand(
    rest: Rest, server: ServerProcess, index: str, first_pass: Retriever, window: int = 50
) -> list[tuple[str, float]]:
    """Ids and hit scores: the first pass as Elasticsearch gives it, scored by the server."""
    hits = rest.hits(index, {"retriever": first_pass, "size": window})
    body = {
        "model": "tiny-cross",
        "query": QUERY,
        "documents": [hit["_source"]["text"] for hit in hits],
    }
    results = server.post("/v1/rerank", body).json()["results"]
    logits = {result["index"]: result["logit"] for result in results}
    scored = [(hit["_id"], float(hit_score(logits[at]))) for at, hit in enumerate(hits)]
    return sorted(scored, key=lambda pair: -pair[1])  # stable: ties keep the first pass's order


@pytest.mark.parametrize("first_pass", [MATCH, dense()], ids=["match", "knn"])
def test_the_window_comes_back_in_the_cross_encoders_order(
    rest: Rest, server: ServerProcess, animals: str, first_pass: Retriever
) -> None:
    expected = reranked_by_hand(rest, server, animals, first_pass)
    hits = rest.hits(animals, {"retriever": rerank(first_pass), "size": 50})
    assert ids(hits) != ids(rest.hits(animals, {"retriever": first_pass, "size": 50}))
    assert [hit["_score"] for hit in hits] == pytest.approx([s for _, s in expected], rel=1e-5)
    assert set(ids(hits)) == {document for document, _ in expected}


def test_without_size_the_whole_window_comes_back(rest: Rest, animals: str) -> None:
    assert len(rest.hits(animals, {"retriever": rerank()})) == 50


def test_the_window_is_ten_by_default(rest: Rest, animals: str) -> None:
    body = rerank()
    del body["bicross_rerank"]["rank_window_size"]
    assert len(rest.hits(animals, {"retriever": body})) == 10


def test_pages_cut_one_order(rest: Rest, animals: str) -> None:
    whole = ids(rest.hits(animals, {"retriever": rerank(), "size": 50}))
    pages = [
        ids(rest.hits(animals, {"retriever": rerank(), "from": start, "size": 20}))
        for start in (0, 20, 40)
    ]
    assert [document for page in pages for document in page] == whole


def test_hits_after_the_window_are_none(rest: Rest, animals: str) -> None:
    assert rest.hits(animals, {"retriever": rerank(), "from": 50, "size": 10}) == []


def test_aggregations_count_every_match_and_not_the_window(rest: Rest, animals: str) -> None:
    body = {"retriever": rerank(), "size": 3, "aggs": {"tags": {"terms": {"field": "tag"}}}}
    answer = rest.ok("POST", f"/{animals}/_search", body)
    assert len(answer["hits"]["hits"]) == 3
    plain = {"query": MATCH["standard"]["query"], "size": 0, "aggs": body["aggs"]}
    expected = rest.ok("POST", f"/{animals}/_search", plain)
    assert answer["aggregations"] == expected["aggregations"]


def test_highlights_come_with_the_reranked_hits(rest: Rest, animals: str) -> None:
    body = {
        "retriever": rerank(),
        "size": 5,
        "highlight": {"fields": {"text": {"highlight_query": MATCH["standard"]["query"]}}},
    }
    hits = rest.hits(animals, body)
    assert all("<em>" in hit["highlight"]["text"][0] for hit in hits)


def test_collapse_keeps_the_best_reranked_hit_of_each_group(rest: Rest, animals: str) -> None:
    whole = rest.hits(animals, {"retriever": rerank(), "size": 50})
    best = {hit["_source"]["tag"]: hit["_id"] for hit in reversed(whole)}
    body = {"retriever": rerank(), "size": 10, "collapse": {"field": "tag"}}
    collapsed = {hit["_source"]["tag"]: hit["_id"] for hit in rest.hits(animals, body)}
    assert collapsed == best


def test_explain_shows_both_passes(rest: Rest, animals: str) -> None:
    hit = rest.hits(animals, {"retriever": rerank(), "size": 1, "explain": True})[0]
    assert hit["_explanation"]["value"] == pytest.approx(hit["_score"])
    assert "tiny-cross" in str(hit["_explanation"])


def test_a_filter_of_the_reranker_reaches_the_first_pass(rest: Rest, animals: str) -> None:
    filtered = rerank(filter={"term": {"tag": "horse"}})
    hits = rest.hits(animals, {"retriever": filtered, "size": 50})
    assert len(hits) == 40
    assert {hit["_source"]["tag"] for hit in hits} == {"horse"}


def test_min_score_compares_mapped_scores_after_reranking(rest: Rest, animals: str) -> None:
    whole = rest.hits(animals, {"retriever": rerank(), "size": 50})
    limit = whole[9]["_score"]
    kept = rest.hits(animals, {"retriever": rerank(min_score=limit), "size": 50})
    assert ids(kept) == [hit["_id"] for hit in whole if hit["_score"] >= limit]


def test_it_reranks_what_another_reranker_left(rest: Rest, animals: str) -> None:
    inner = rerank(dense(), rank_window_size=30)
    hits = rest.hits(animals, {"retriever": rerank(inner, rank_window_size=10), "size": 10})
    first_ten = rest.hits(animals, {"retriever": inner, "size": 10})
    assert set(ids(hits)) == set(ids(first_ten))


def test_a_rescorer_may_stand_above_it(rest: Rest, animals: str) -> None:
    rescore = {
        "window_size": 50,
        "query": {"rescore_query": {"term": {"tag": "cat"}}, "rescore_query_weight": 1000},
    }
    body = {"rescorer": {"retriever": rerank(), "rescore": rescore}}
    hits = rest.hits(animals, {"retriever": body, "size": 50})
    tags = [hit["_source"]["tag"] for hit in hits]
    cats = tags.count("cat")
    assert tags[:cats] == ["cat"] * cats


def test_several_indices_are_reranked_together(
    rest: Rest, server: ServerProcess, pipeline: str, animals: str
) -> None:
    rest.call("DELETE", "/more-animals")
    rest.ok("PUT", "/more-animals", index_body(pipeline))
    more = [(f"more-{name}", document) for name, document in animal_documents(60)]
    rest.bulk("more-animals", more)
    both = f"{animals},more-animals"
    expected = reranked_by_hand(rest, server, both, MATCH)
    hits = rest.hits(both, {"retriever": rerank(), "size": 50})
    assert [hit["_score"] for hit in hits] == pytest.approx([s for _, s in expected], rel=1e-5)
    assert {hit["_index"] for hit in hits} == {animals, "more-animals"}
    rest.ok("DELETE", "/more-animals")


def test_equal_scores_keep_the_order_of_the_first_pass(rest: Rest, index: str) -> None:
    same = [(str(number), {"text": "a horse drinks milk"}) for number in range(8)]
    rest.bulk(index, same)
    first = ids(rest.hits(index, {"retriever": MATCH, "size": 8}))
    assert ids(rest.hits(index, {"retriever": rerank(), "size": 8})) == first


def test_a_hit_without_the_field_stays_below_the_scored_ones(rest: Rest, index: str) -> None:
    rest.bulk(index, [(str(n), document) for n, (_, document) in enumerate(animal_documents(10))])
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "_none"})
    rest.bulk(index, [("bare", {"tag": "cat"})])
    everything: Retriever = {"standard": {"query": {"match_all": {}}}}
    hits = rest.hits(index, {"retriever": rerank(everything), "size": 20})
    assert len(hits) == 11
    assert hits[-1]["_id"] == "bare"


def test_an_empty_first_pass_gives_no_hits_and_no_call(
    rest: Rest, server: ServerProcess, animals: str
) -> None:
    before = server.requests("/v1/rerank")
    nothing = {"standard": {"query": {"match": {"text": "zebra"}}}}
    assert rest.hits(animals, {"retriever": rerank(nothing)}) == []
    assert server.requests("/v1/rerank") == before


BAD_RETRIEVERS = {
    "window of 0": (rerank(rank_window_size=0), "rank_window_size"),
    "window above the limit": (rerank(rank_window_size=1001), "rank_window_size"),
    "no model_id": ({"bicross_rerank": {"retriever": MATCH, "field": "text", "model_text": "q"}},
        "model_id"),
    "empty text": (rerank(model_text=""), "model_text"),
    "unmapped field": (rerank(field="body"), "body"),
    "inference_id": (rerank(inference_id="x"), "model_id"),
    "inference_text": (rerank(inference_text="x"), "model_text"),
    "a URL": (rerank(url="http://127.0.0.1:1"), "url"),
    "unknown model": (rerank(model_id="e5"), "e5"),
    "an embedding model": (rerank(model_id="tiny-bi"), "tiny-bi"),
}  # fmt: skip


@pytest.mark.parametrize(("retriever", "told"), BAD_RETRIEVERS.values(), ids=BAD_RETRIEVERS)
def test_a_wrong_retriever_is_refused_naming_the_field(
    rest: Rest, animals: str, retriever: Retriever, told: str
) -> None:
    status, error = rest.error("POST", f"/{animals}/_search", {"retriever": retriever, "size": 5})
    assert status == 400, error
    assert told in error


def test_a_window_smaller_than_the_page_is_refused_naming_both(rest: Rest, animals: str) -> None:
    body = {"retriever": rerank(rank_window_size=5), "size": 10}
    status, error = rest.error("POST", f"/{animals}/_search", body)
    assert status == 400
    assert "rank_window_size" in error
    assert "10" in error
    assert "5" in error


@pytest.mark.parametrize("parameters", ["scroll=1m"])
def test_scroll_does_not_pass_through_a_compound_retriever(
    rest: Rest, animals: str, parameters: str
) -> None:
    status, _ = rest.error("POST", f"/{animals}/_search?{parameters}", {"retriever": rerank()})
    assert status == 400
