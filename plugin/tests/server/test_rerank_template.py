"""A language model behind POST /v1/rerank, by the same route as any cross-encoder."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.runtime import CrossEncoder
from bicross.server.models.catalog import Catalog
from bicross.server.telemetry.metrics import Metrics

Body = dict[str, Any]


@pytest.fixture
async def decoder_client(decoder_bundle: Bundle, served: Any) -> AsyncIterator[httpx.AsyncClient]:
    catalog = Catalog([decoder_bundle])
    catalog.load(1, Metrics())
    async with served(catalog) as (client, _):
        yield client


@pytest.fixture
def body(rerank_body: Body) -> Body:
    return rerank_body | {"model": "tiny-decoder-reranker"}


async def test_results_are_the_runtime_s_best_first(
    decoder_client: httpx.AsyncClient, body: Body, decoder_bundle: Bundle
) -> None:
    results = (await decoder_client.post("/v1/rerank", json=body)).json()["results"]
    encoder = CrossEncoder.load(decoder_bundle, threads=1)
    logits = encoder.score(body["query"], body["documents"])
    assert [result["index"] for result in results] == np.argsort(-logits).tolist()
    for result in results:
        logit = float(logits[result["index"]])
        assert result["logit"] == pytest.approx(logit, abs=1e-5)
        assert result["relevance_score"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


async def test_document_keeps_the_tokens_asked_for(
    decoder_client: httpx.AsyncClient, body: Body
) -> None:
    body |= {"documents": ["the cat sat on the mat", "the cat"]}
    cut = (await decoder_client.post("/v1/rerank", json=body | {"max_tokens_per_doc": 2})).json()
    first, second = cut["results"]
    assert first["logit"] == pytest.approx(second["logit"], abs=1e-5)
    assert cut["usage"]["truncated"] == 1


async def test_query_too_long_is_an_error_of_the_query(
    decoder_client: httpx.AsyncClient, body: Body
) -> None:
    response = await decoder_client.post("/v1/rerank", json=body | {"query": "cat " * 70})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "query"
    assert "its template's" in response.json()["error"]["message"]
