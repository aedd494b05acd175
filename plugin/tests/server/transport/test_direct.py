"""The direct way to an endpoint is not to be told from the one that FastAPI documents."""

from typing import Any

import httpx

from bicross.server.endpoints import embeddings, multi_vector, rerank, sparse_embeddings
from bicross.server.transport.direct import direct_endpoints

ROUTERS = [module.router for module in (embeddings, sparse_embeddings, multi_vector, rerank)]


async def test_every_post_of_the_documents_has_a_direct_endpoint(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    posts = {path for path, methods in paths.items() if "post" in methods}
    assert direct_endpoints(ROUTERS).keys() == posts


async def test_another_method_on_their_paths_is_refused_with_the_one_allowed(
    client: httpx.AsyncClient,
) -> None:
    for path in direct_endpoints(ROUTERS):
        response = await client.get(path)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"


async def test_post_elsewhere_is_refused_as_before(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/models")).status_code == 405
    assert (await client.post("/v1/nothing")).status_code == 404


async def test_answers_are_counted_under_their_routes(
    client: httpx.AsyncClient, embeddings_body: dict[str, Any]
) -> None:
    assert (await client.post("/v1/embeddings", json=embeddings_body)).status_code == 200
    metrics = (await client.get("/metrics")).text
    assert 'bicross_requests_total{route="/v1/embeddings",status="200"} 1.0' in metrics
