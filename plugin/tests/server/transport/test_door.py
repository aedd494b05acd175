"""Keys are wanted everywhere but at the health routes; closed doors refuse new work."""

import logging
from typing import Any

import httpx
import pytest

from bicross.server.models.catalog import Catalog
from bicross.server.transport.door import Doors

KEYS = (b"first-key", b"second-key")
KEYED = ["/v1/models", "/metrics", "/docs", "/openapi.json", "/nowhere"]


async def get(
    served: Any, catalog: Catalog, doors: Doors, path: str, **headers: Any
) -> httpx.Response:
    async with served(catalog, doors) as (client, _):
        found: httpx.Response = await client.get(path, headers=headers)
        return found


@pytest.mark.parametrize("path", KEYED)
async def test_path_without_a_key_is_refused_before_anything_else(
    path: str, served: Any, loaded_catalog: Catalog
) -> None:
    response = await get(served, loaded_catalog, Doors(KEYS), path)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert response.json()["error"]["type"] == "authentication_error"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer wrong", "Bearer", "first-key", "Basic first-key", "Bearer first-key2", "Bearer é"],
)
async def test_wrong_key_is_refused_and_not_repeated(
    authorization: str, served: Any, loaded_catalog: Catalog
) -> None:
    headers = {"authorization": authorization.encode()}
    response = await get(served, loaded_catalog, Doors(KEYS), "/v1/models", **headers)
    assert response.status_code == 401
    assert "first-key" not in response.text


@pytest.mark.parametrize("authorization", ["Bearer first-key", "bearer second-key"])
async def test_either_of_two_keys_opens(
    authorization: str, served: Any, loaded_catalog: Catalog
) -> None:
    headers = {"authorization": authorization}
    response = await get(served, loaded_catalog, Doors(KEYS), "/v1/models", **headers)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_needs_no_key(path: str, served: Any, loaded_catalog: Catalog) -> None:
    response = await get(served, loaded_catalog, Doors(KEYS), path)
    assert response.status_code == 200


async def test_refused_upload_is_not_read(served: Any, loaded_catalog: Catalog) -> None:
    async def chunks() -> Any:
        pytest.fail("read")
        yield b""

    async with served(loaded_catalog, Doors(KEYS)) as (client, _):
        response = await client.post("/v1/embeddings", content=chunks())
    assert response.status_code == 401


async def test_closed_doors_refuse_all_but_liveness(
    served: Any, loaded_catalog: Catalog, embeddings_body: dict[str, Any]
) -> None:
    doors = Doors()
    async with served(loaded_catalog, doors) as (client, _):
        doors.closed = True
        live = await client.get("/health/live")
        ready = await client.get("/health/ready")
        work = await client.post("/v1/embeddings", json=embeddings_body)
    assert live.status_code == 200
    for response in (ready, work):
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "shutting_down"
        assert response.headers["retry-after"] == "1"


async def test_unknown_paths_are_counted_as_one(served: Any, loaded_catalog: Catalog) -> None:
    async with served(loaded_catalog) as (client, app):
        for path in ("/secret-a", "/secret-b"):
            assert (await client.get(path)).status_code == 404
        exposition = app.state.serving.metrics.exposition().decode()
    assert 'bicross_requests_total{route="other",status="404"} 2.0' in exposition
    assert "secret" not in exposition


async def test_no_text_and_no_key_reaches_log_error_or_metric(
    served: Any,
    loaded_catalog: Catalog,
    embeddings_body: dict[str, Any],
    rerank_body: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    canary = "canary7d1f"
    bodies = [
        ("/v1/embeddings", embeddings_body | {"input": [f"{canary} {'cat ' * 90}"]}),
        ("/v1/embeddings", embeddings_body | {"input": [canary, ""]}),
        ("/v1/embeddings", embeddings_body | {"input": [canary], "truncate": canary}),
        ("/v1/embeddings", embeddings_body | {"input": {"text": canary}}),
        ("/v1/rerank", rerank_body | {"query": canary * 40}),
        ("/v1/rerank", rerank_body | {"documents": [{"text": canary, "more": canary}]}),
    ]
    seen = []
    with caplog.at_level(logging.DEBUG):
        async with served(loaded_catalog, Doors((canary.encode(),))) as (client, app):
            for path, body in bodies:
                headers = {"authorization": f"Bearer {canary}"}
                response = await client.post(path, json=body, headers=headers)
                assert response.status_code in {200, 400}
                seen.append(response.text)
            seen.append(app.state.serving.metrics.exposition().decode())
    ours = [record.getMessage() for record in caplog.records if "httpx" not in record.name]
    assert canary not in "\n".join(seen + ours)
    assert canary not in repr(Doors((canary.encode(),)))
