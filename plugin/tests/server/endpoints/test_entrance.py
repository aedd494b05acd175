"""A full queue refuses by a request's headers or unparsed body; a search finds its own room."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bicross.server.endpoints.bodies import SMALL_BYTES
from bicross.server.models.catalog import Catalog
from bicross.server.scheduling.lane import Lane

URL = "/v1/embeddings"
JSON = {"content-type": "application/json"}
LARGE = JSON | {"content-length": str(SMALL_BYTES + 1)}
Body = dict[str, Any]


@contextmanager
def full(app: FastAPI, lane: Lane) -> Iterator[None]:
    """Nothing more finds room in `lane`."""
    serving = app.state.serving
    with serving.admission.place(lane, serving.settings.max_queue_tokens, "another"):
        yield


@pytest.fixture
async def server(served: Any, loaded_catalog: Catalog) -> AsyncIterator[tuple[Any, FastAPI]]:
    async with served(loaded_catalog) as found:
        yield found


async def unread() -> AsyncIterator[bytes]:
    pytest.fail("read")
    yield b""


def refused(response: httpx.Response) -> bool:
    if response.status_code != 429:
        return False
    assert response.json()["error"]["code"] == "overloaded"
    assert int(response.headers["retry-after"]) >= 1
    return True


@pytest.mark.parametrize("path", [URL, "/v1/sparse-embeddings", "/v1/multi-vector"])
async def test_full_ingest_refuses_a_body_before_it_is_parsed(
    path: str, server: tuple[httpx.AsyncClient, FastAPI]
) -> None:
    client, app = server
    with full(app, Lane.INGEST):
        assert refused(await client.post(path, content=b"no JSON", headers=JSON))
    assert (await client.post(path, content=b"no JSON", headers=JSON)).status_code == 400


async def test_full_ingest_refuses_a_large_body_before_it_is_read(
    server: tuple[httpx.AsyncClient, FastAPI],
) -> None:
    client, app = server
    with full(app, Lane.INGEST):
        assert refused(await client.post(URL, content=unread(), headers=LARGE))


async def test_full_search_refuses_a_rerank_before_it_is_parsed_or_read(
    server: tuple[httpx.AsyncClient, FastAPI],
) -> None:
    client, app = server
    with full(app, Lane.SEARCH):
        assert refused(await client.post("/v1/rerank", content=b"no JSON", headers=JSON))
        assert refused(await client.post("/v2/rerank", content=unread(), headers=LARGE))


async def test_queue_that_is_too_long_for_the_deadline_refuses_before_a_body_is_parsed_or_read(
    server: tuple[httpx.AsyncClient, FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, app = server
    serving = app.state.serving
    monkeypatch.setattr(serving.admission, "_tokens_per_s", lambda _: 10.0)
    soon = {"x-bicross-timeout-ms": "2000"}
    for lane, path, content, headers in (
        (Lane.INGEST, URL, unread(), LARGE),
        (Lane.INGEST, URL, b"no JSON", JSON),
        (Lane.SEARCH, "/v1/rerank", b"no JSON", JSON),
    ):
        with serving.admission.place(lane, 1000, "127.0.0.1"):
            response = await client.post(path, content=content, headers=headers | soon)
            assert refused(response)
            assert "deadline" in response.json()["error"]["message"]
            response = await client.post(path, content=b"no JSON", headers=JSON)
            assert response.status_code == 400


async def test_no_queue_is_too_long_for_a_rerank_that_is_of_use_in_part(
    server: tuple[httpx.AsyncClient, FastAPI],
    monkeypatch: pytest.MonkeyPatch,
    rerank_body: Body,
) -> None:
    client, app = server
    serving = app.state.serving
    monkeypatch.setattr(serving.admission, "_tokens_per_s", lambda _: 10.0)
    soon = {"x-bicross-timeout-ms": "30000"}
    with serving.admission.place(Lane.SEARCH, 100_000, "127.0.0.1"):
        assert refused(await client.post("/v1/rerank", json=rerank_body, headers=soon))
        partial = rerank_body | {"partial": True}
        response = await client.post("/v1/rerank", json=partial, headers=soon)
    assert response.status_code == 200


async def test_searches_are_not_refused_because_ingest_is_full(
    server: tuple[httpx.AsyncClient, FastAPI], embeddings_body: Body, rerank_body: Body
) -> None:
    client, app = server
    with full(app, Lane.INGEST):
        query = await client.post(URL, json=embeddings_body | {"input_type": "query"})
        window = await client.post("/v1/rerank", json=rerank_body)
    assert [query.status_code, window.status_code] == [200, 200]


async def test_passage_that_is_the_word_query_is_refused_all_the_same(
    server: tuple[httpx.AsyncClient, FastAPI],
) -> None:
    client, app = server
    with full(app, Lane.INGEST):
        assert refused(await client.post(URL, json={"model": "tiny-bi", "input": ["query"]}))


async def test_full_search_refuses_queries_and_no_passages(
    server: tuple[httpx.AsyncClient, FastAPI], embeddings_body: Body
) -> None:
    client, app = server
    with full(app, Lane.SEARCH):
        assert refused(await client.post(URL, json=embeddings_body | {"input_type": "query"}))
        assert (await client.post(URL, json=embeddings_body)).status_code == 200


async def test_large_body_of_queries_that_found_room_is_a_search(
    server: tuple[httpx.AsyncClient, FastAPI],
) -> None:
    client, app = server
    body = {"model": "tiny-bi", "input": ["cat " * 500] * 40, "input_type": "query"}
    with full(app, Lane.SEARCH):
        assert refused(await client.post(URL, json=body))
    assert (await client.post(URL, json=body)).status_code == 200
    assert [app.state.serving.admission.held(lane) for lane in Lane] == [0, 0]


async def test_no_more_bodies_are_read_at_one_time_than_their_texts_may_wait(
    served: Any, loaded_catalog: Catalog
) -> None:
    """Two fill the queue while they arrive: of the others no byte is read."""
    begun, done = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b" "
        begun.release()
        await done.wait()
        yield b" " * SMALL_BYTES

    limits = {"max_queue_tokens": 1000, "max_request_tokens": 500}
    async with served(loaded_catalog, **limits) as (client, _):
        posts = [client.post(URL, content=slow(), headers=LARGE) for _ in range(2)]
        arriving = [asyncio.create_task(post) for post in posts]
        for _ in arriving:
            await begun.acquire()
        others = [client.post(URL, content=unread(), headers=LARGE) for _ in range(3)]
        assert all(map(refused, await asyncio.gather(*others)))
        done.set()
        assert [(await each).status_code for each in arriving] == [400, 400]
