"""POST /v1/rerank and /v2/rerank give the runtime's scores, in Cohere's and Jina's shape."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.runtime import CrossEncoder, FloatArray, TokenSequence, relevance_score
from bicross.server.endpoints.rerank import _in_time, _results
from bicross.server.endpoints.schemas import RerankAnswer
from bicross.server.models.catalog import Catalog

Body = dict[str, Any]
URLS = ["/v1/rerank", "/v2/rerank"]
TOLERANCE = 1e-5


def error(response: httpx.Response) -> Body:
    found: Body = response.json()["error"]
    return found


@pytest.mark.parametrize("url", URLS)
async def test_results_are_the_runtime_s_best_first(
    url: str, client: httpx.AsyncClient, rerank_body: Body, cross_encoder: CrossEncoder
) -> None:
    response = await client.post(url, json=rerank_body)
    results = response.json()["results"]
    logits = cross_encoder.score(rerank_body["query"], rerank_body["documents"])
    assert [result["index"] for result in results] == np.argsort(-logits).tolist()
    for result in results:
        logit = float(logits[result["index"]])
        assert result["logit"] == pytest.approx(logit, abs=TOLERANCE)
        expected = relevance_score(logit, "sigmoid")
        assert result["relevance_score"] == pytest.approx(expected, abs=TOLERANCE)


async def test_answer_has_the_documented_shape_and_names_the_digest(
    client: httpx.AsyncClient, rerank_body: Body, cross_bundle: Bundle
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body)
    answer = RerankAnswer.model_validate(response.json(), strict=True, extra="forbid")
    assert answer.model == f"tiny-cross@{cross_bundle.manifest.digest[:12]}"
    assert answer.meta["billed_units"] == {"search_units": 1}
    assert "document" not in response.json()["results"][0]


@given(logits=st.lists(st.sampled_from([-2.0, 0.0, 40.0, 50.0]), min_size=1, max_size=12))
def test_equal_logits_keep_the_order_of_the_documents(
    cross_encoder: CrossEncoder, logits: list[float]
) -> None:
    results = _results(np.array(logits, np.float32), list(range(len(logits))), cross_encoder)
    keys = [(-result["logit"], result["index"]) for result in results]
    assert keys == sorted(keys)


async def test_logits_that_a_sigmoid_rounds_together_keep_their_order(
    cross_encoder: CrossEncoder,
) -> None:
    results = _results(np.array([40.0, 50.0], np.float32), [0, 1], cross_encoder)
    assert [result["relevance_score"] for result in results] == [1.0, 1.0]
    assert [result["index"] for result in results] == [1, 0]


@pytest.mark.parametrize("url", URLS)
async def test_documents_may_be_objects_with_a_text(
    url: str, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    plain = (await client.post(url, json=rerank_body)).json()["results"]
    wrapped = [{"text": text} for text in rerank_body["documents"]]
    response = await client.post(url, json=rerank_body | {"documents": wrapped})
    assert response.json()["results"] == plain


async def test_documents_come_back_only_where_asked_for(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | {"return_documents": True})
    for result in response.json()["results"]:
        assert result["document"] == {"text": rerank_body["documents"][result["index"]]}


@pytest.mark.parametrize(("top_n", "count"), [(1, 1), (2, 2), (3, 3), (99, 3), (None, 3)])
async def test_top_n_cuts_the_list_and_is_clipped(
    top_n: int | None, count: int, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    whole = (await client.post("/v1/rerank", json=rerank_body)).json()["results"]
    response = await client.post("/v1/rerank", json=rerank_body | {"top_n": top_n})
    assert response.json()["results"] == whole[:count]


@pytest.mark.parametrize("top_n", [0, -1, 1.5, "3", True], ids=repr)
async def test_top_n_that_is_no_count_is_refused(
    top_n: object, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | {"top_n": top_n})
    assert response.status_code == 400
    assert error(response)["param"] == "top_n"


async def test_max_tokens_per_doc_cuts_the_documents(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    body = rerank_body | {"query": "the cat", "max_tokens_per_doc": 2}
    usage = (await client.post("/v2/rerank", json=body)).json()["usage"]
    # [CLS] and two [SEP] round two words and two.
    assert usage == {"total_tokens": 3 * (3 + 2 + 2), "truncated": 3}


async def test_long_pair_is_cut_and_counted(client: httpx.AsyncClient, rerank_body: Body) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | {"documents": ["cat " * 90]})
    assert response.json()["usage"] == {"total_tokens": 64, "truncated": 1}


async def test_long_pair_is_refused_where_it_may_not_be_cut(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    body = rerank_body | {"documents": ["cat " * 900], "truncate": False}
    response = await client.post("/v1/rerank", json=body)
    assert (response.status_code, error(response)["code"]) == (400, "text_too_long")
    assert error(response)["param"] == "documents[0]"


async def test_query_that_leaves_no_room_is_refused(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | {"query": "cat " * 70})
    assert (response.status_code, error(response)["code"]) == (400, "query_too_long")
    assert error(response)["param"] == "query"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"query": ""}, "query"),
        ({"query": " \t"}, "query"),
        ({"query": None}, "query"),
        ({"query": ["cat"]}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": "cat"}, "documents"),
        ({"documents": None}, "documents"),
        ({"documents": ["cat", ""]}, "documents[1]"),
        ({"documents": ["cat", 5]}, "documents[1]"),
        ({"documents": [{"text": ""}]}, "documents[0]"),
        ({"documents": [{"text": 5}]}, "documents[0]"),
        ({"documents": [{"image": "x"}]}, "documents[0]"),
        ({"documents": [{"text": "x", "title": "y"}]}, "documents[0]"),
        ({"return_documents": "yes"}, "return_documents"),
        ({"max_tokens_per_doc": 0}, "max_tokens_per_doc"),
        ({"top_k": 3}, "top_k"),
    ],
    ids=str,
)
async def test_wrong_field_is_refused_by_name(
    change: Body, param: str, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | change)
    assert response.status_code == 400
    assert error(response)["param"] == param


@pytest.mark.parametrize("url", URLS)
async def test_errors_have_their_message_at_the_top_as_well(
    url: str, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post(url, json=rerank_body | {"model": "e5"})
    assert response.status_code == 404
    body = response.json()
    assert body["message"] == body["error"]["message"]
    assert body["message"] == "no model 'e5' is served here; served are: tiny-bi, tiny-cross"


async def test_bi_encoder_is_refused_with_its_task(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | {"model": "tiny-bi"})
    assert (response.status_code, error(response)["code"]) == (400, "wrong_task")
    assert "tiny-bi is for text_embedding" in error(response)["message"]


@pytest.mark.parametrize(
    "ignored",
    [{"user": "u"}, {"priority": 3}, {"rank_fields": ["text"]}, {"max_chunks_per_doc": 10}],
    ids=str,
)
async def test_fields_of_cohere_s_clients_are_taken_and_ignored(
    ignored: Body, client: httpx.AsyncClient, rerank_body: Body
) -> None:
    response = await client.post("/v1/rerank", json=rerank_body | ignored)
    assert response.status_code == 200


class GatedCross(CrossEncoder):
    """The real encoder, which lets one run pass for each ticket."""

    tickets = threading.Semaphore(0)
    began = threading.Semaphore(0)

    def run(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        self.began.release()
        assert self.tickets.acquire(timeout=30)
        return super().run(sequences)


@pytest.fixture
def gated_cross(cross_bundle: Bundle) -> tuple[Catalog, type[GatedCross]]:
    class Gated(GatedCross):
        tickets, began = threading.Semaphore(0), threading.Semaphore(0)

    catalog = Catalog([cross_bundle])
    catalog.models[0].encoder = Gated.load(cross_bundle, threads=1)
    return catalog, Gated


DOCUMENTS = ["cat " * (20 + n % 7) for n in range(24)]


async def test_partial_answer_holds_the_first_documents_when_the_deadline_comes(
    served: Any, gated_cross: Any, rerank_body: Body, cross_encoder: CrossEncoder
) -> None:
    catalog, gate = gated_cross
    body = rerank_body | {"documents": DOCUMENTS, "partial": True}
    async with served(catalog, batch_tokens=128) as (client, _):
        gate.tickets.release()
        headers = {"x-bicross-timeout-ms": "1000"}
        asked = asyncio.create_task(client.post("/v1/rerank", json=body, headers=headers))
        for _ in range(2):
            assert await asyncio.to_thread(gate.began.acquire, timeout=30)
        response = await asked
        gate.tickets.release(99)
    answer = response.json()
    assert response.status_code == 200
    RerankAnswer.model_validate(answer, strict=True, extra="forbid")
    scored = [result["index"] for result in answer["results"]]
    assert (answer["partial"], answer["scored"]) == (True, len(scored))
    assert 0 in scored
    assert 0 < len(scored) < len(DOCUMENTS)
    logits = cross_encoder.score(rerank_body["query"], DOCUMENTS)
    for result in answer["results"]:
        assert result["logit"] == pytest.approx(float(logits[result["index"]]), abs=TOLERANCE)


async def test_partial_answer_says_how_much_was_scored_before_it_was_cut(
    client: httpx.AsyncClient, rerank_body: Body
) -> None:
    body = rerank_body | {"partial": True, "top_n": 1}
    answer = (await client.post("/v1/rerank", json=body)).json()
    assert (answer["partial"], answer["scored"]) == (False, 3)
    assert len(answer["results"]) == 1


async def test_partial_request_of_which_nothing_was_scored_is_late(
    served: Any, gated_cross: Any, rerank_body: Body
) -> None:
    catalog, gate = gated_cross
    async with served(catalog) as (client, _):
        headers = {"x-bicross-timeout-ms": "50"}
        body = rerank_body | {"partial": True}
        response = await client.post("/v1/rerank", json=body, headers=headers)
        gate.tickets.release(99)
    assert (response.status_code, error(response)["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize(("left_s", "kept_s"), [(1.0, 0.01), (0.02, 0.005), (-1.0, 0.0)], ids=str)
def test_partial_answer_leaves_before_its_deadline(left_s: float, kept_s: float) -> None:
    assert _in_time(100.0 + left_s, 100.0) == pytest.approx(100.0 + left_s - kept_s)
