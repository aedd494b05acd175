"""The documents of the API come from this server alone, and only where they may be seen."""

import re
from typing import Any

import httpx
import pytest

from bicross.server.models.catalog import Catalog


async def test_docs_ask_no_other_site_for_anything(client: httpx.AsyncClient) -> None:
    response = await client.get("/docs")
    assert response.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert sources
    for source in sources:
        assert source.startswith("/")
        assert (await client.get(source)).status_code == 200


async def test_openapi_describes_every_route_with_its_body(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert set(paths) == {
        "/v1/embeddings",
        "/v1/sparse-embeddings",
        "/v1/multi-vector",
        "/v1/rerank",
        "/v2/rerank",
        "/v1/models",
        "/metrics",
        "/health/live",
        "/health/ready",
    }
    for path, fields in {
        "/v1/embeddings": {"model", "input", "input_type", "encoding_format", "dimensions"}
        | {"output_dtype"},
        "/v1/sparse-embeddings": {"model", "input", "input_type", "encoding_format"},
        "/v1/multi-vector": {"model", "input", "input_type", "embedding_type"},
        "/v2/rerank": {"model", "query", "documents", "top_n", "return_documents"},
    }.items():
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert fields <= set(content["schema"]["properties"])
        assert {"200", "400", "429"} <= set(paths[path]["post"]["responses"])


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"host": "0.0.0.0"}, 404),  # noqa: S104  the case in question
        ({"host": "0.0.0.0", "docs": True}, 200),  # noqa: S104
        ({"docs": False}, 404),
        ({"host": "localhost"}, 200),
    ],
    ids=["network", "network, asked for", "refused", "loopback"],
)
async def test_docs_are_shown_on_loopback_or_where_asked_for(
    path: str, settings: dict[str, Any], status: int, served: Any, loaded_catalog: Catalog
) -> None:
    async with served(loaded_catalog, **settings) as (client, _):
        assert (await client.get(path)).status_code == status
