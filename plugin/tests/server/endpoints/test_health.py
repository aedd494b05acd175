"""Alive at once, ready when every bundle has proved itself, and silent on what it is."""

from dataclasses import replace
from typing import Any

import httpx

from bicross import __version__
from bicross.bundle import Bundle
from bicross.bundle.matrix import Matrix
from bicross.server.models.catalog import Catalog


async def test_ready_when_every_model_is(client: httpx.AsyncClient) -> None:
    response = await client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


async def test_one_model_that_fails_keeps_ready_false_while_the_other_serves(
    served: Any, bi_bundle: Bundle, cross_bundle: Bundle, embeddings_body: dict[str, Any]
) -> None:
    zeros = Matrix.of([[0.0] * 16] * 8)
    goldens = cross_bundle.goldens.model_copy(update={"scores": zeros})
    broken = replace(cross_bundle, goldens=goldens)
    async with served(Catalog([bi_bundle, broken])) as (client, _):
        live = await client.get("/health/live")
        ready = await client.get("/health/ready")
        works = await client.post("/v1/embeddings", json=embeddings_body)
        body = {"model": "tiny-cross", "query": "q", "documents": ["d"]}
        fails = await client.post("/v1/rerank", json=body)
        models = (await client.get("/v1/models")).json()["data"]
    assert live.status_code == 200
    assert works.status_code == 200
    assert [model["ready"] for model in models] == [True, False]
    for response in (ready, fails):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "not_ready"
        assert response.headers["retry-after"] == "1"
    assert "1 of 2 models" in ready.json()["error"]["message"]


async def test_health_tells_no_name_and_no_version(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        response = await client.get(path)
        told = response.text + str(response.headers)
        assert "tiny" not in told
        assert __version__ not in told
        assert "server" not in response.headers
