"""The query vector builder `bicross`, in the three places where a kNN search may stand."""

from typing import Any

import pytest
from rest import Rest
from server_process import ServerProcess

QUERY = "the horse number 4 likes meat and sleeps 4 hours"


def knn(model_id: str = "tiny-bi", text: Any = QUERY, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "field": "vector",
        "k": 10,
        "num_candidates": 200,
        "query_vector_builder": {"bicross": {"model_id": model_id, "model_text": text, **more}},
    }


PLACES = {
    "top-level knn": lambda part: {"knn": part},
    "knn query": lambda part: {"query": {"knn": part}},
    "knn retriever": lambda part: {"retriever": {"knn": part}},
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_node_asks_the_model_for_the_query_vector(
    rest: Rest,
    server: ServerProcess,
    animals: str,
    place: Any,  # noqa: ANN401
) -> None:
    body = {"model": "tiny-bi", "input": QUERY, "input_type": "query"}
    vector = server.post("/v1/embeddings", body).json()["data"][0]["embedding"]
    by_hand = {name: value for name, value in knn().items() if name != "query_vector_builder"}
    expected = rest.hits(animals, place({**by_hand, "query_vector": vector}))
    hits = rest.hits(animals, place(knn()))
    assert [hit["_id"] for hit in hits] == [hit["_id"] for hit in expected]
    assert [hit["_score"] for hit in hits] == pytest.approx([hit["_score"] for hit in expected])


def test_a_filter_of_the_knn_part_holds(rest: Rest, animals: str) -> None:
    hits = rest.hits(animals, {"knn": {**knn(), "filter": {"term": {"tag": "cat"}}}})
    assert {hit["_source"]["tag"] for hit in hits} == {"cat"}


def test_it_works_in_msearch_and_under_a_point_in_time(rest: Rest, animals: str) -> None:
    pit = rest.ok("POST", f"/{animals}/_pit?keep_alive=1m")["id"]
    answer = rest.ok("POST", "/_search", {"knn": knn(), "pit": {"id": pit}})
    rest.ok("DELETE", "/_pit", {"id": pit})
    plain = [hit["_id"] for hit in rest.hits(animals, {"knn": knn()})]
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == plain


BAD_BUILDERS = {
    "no text": (knn(text=None), 400, "model_text"),
    "empty text": (knn(text=""), 400, "model_text"),
    "blank text": (knn(text="  "), 400, "model_text"),
    "unknown key": (knn(url="http://127.0.0.1:1"), 400, "url"),
    "unknown model": (knn("e5"), 400, "e5"),
    "rerank model": (knn("tiny-cross"), 400, "tiny-cross"),
    "lone surrogate": (knn(text="\ud800"), 400, ""),
}


@pytest.mark.parametrize(("part", "status", "told"), BAD_BUILDERS.values(), ids=BAD_BUILDERS)
def test_a_wrong_query_vector_builder_is_refused_naming_the_field(
    rest: Rest, animals: str, part: dict[str, Any], status: int, told: str
) -> None:
    found, error = rest.error("POST", f"/{animals}/_search", {"knn": part})
    assert found == status, error
    assert told in error
