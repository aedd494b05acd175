"""A request's way: deadline, refusal, and a client that leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from bicross.runtime import BiEncoder
from bicross.server.models.catalog import Catalog, ServedModel
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.scheduler import Scheduler

URL = "/v1/embeddings"


@pytest.fixture
def gated(gated_model: ServedModel) -> Catalog:
    """A catalog whose bi-encoder runs only when its gate is opened."""
    catalog = Catalog([gated_model.bundle])
    catalog.models[0] = gated_model
    return catalog


@asynccontextmanager
async def busy(
    served: Any, gated: Catalog, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, FastAPI, asyncio.Task[httpx.Response]]]:
    """A server whose model stands still over a first request of 60 tokens."""
    gate: Any = gated.models[0].encoder
    async with served(gated, **settings) as (client, app):
        try:
            body = {"model": "tiny-bi", "input": ["cat " * 55]}
            first = asyncio.create_task(client.post(URL, json=body))
            assert await asyncio.to_thread(gate.entered.acquire, timeout=30)
            yield client, app, first
        finally:
            gate.opened.set()
        assert (await first).status_code == 200


def metric(app: FastAPI, name: str, **labels: str) -> float:
    return app.state.serving.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_deadline_that_passes_is_a_504_before_the_model_is_free(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    async with busy(served, gated) as (client, app, _):
        headers = {"x-bicross-timeout-ms": "20"}
        response = await client.post(URL, json=embeddings_body, headers=headers)
        label = app.state.serving.catalog.models[0].label
    assert response.status_code == 504
    assert response.json()["error"]["code"] == "deadline_exceeded"
    assert metric(app, "bicross_deadline_misses_total", model=label, lane="ingest") == 1
    # The first request's alone: the other never reached the model.
    assert metric(app, "bicross_texts_total", model=label, lane="ingest") == 1


async def test_full_queue_refuses_at_once_with_whole_seconds(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    gate: Any = gated.models[0].encoder
    limits = {"max_queue_tokens": 90, "max_request_tokens": 90}
    async with busy(served, gated, **limits) as (client, app, first):
        response = await client.post(URL, json=embeddings_body)
        assert not first.done()
        search = embeddings_body | {"input_type": "query"}
        other_lane = asyncio.create_task(client.post(URL, json=search))
        gate.opened.set()
        assert (await other_lane).status_code == 200
    assert response.status_code == 429
    assert response.json()["error"]["code"] == "overloaded"
    assert response.headers["retry-after"] == "1"
    assert metric(app, "bicross_refusals_total", code="overloaded") == 1


async def test_request_that_would_wait_beyond_its_deadline_is_refused_at_once(
    served: Any, gated: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request's tokens take 6 s, and so do its own."""
    monkeypatch.setattr(Scheduler, "tokens_per_s", lambda *_: 10.0)
    gate: Any = gated.models[0].encoder
    body = {"model": "tiny-bi", "input": ["dog " * 55]}
    async with busy(served, gated) as (client, app, first):
        held = app.state.serving.admission.held(Lane.INGEST)
        answers = [
            await client.post(URL, json=body, headers={"x-bicross-timeout-ms": str(time_ms)})
            for time_ms in (5_000, 10_000)
        ]
        assert not first.done()
        assert app.state.serving.admission.held(Lane.INGEST) == held
        waits = RawRequest(app, body)
        await waits.queued.wait()
        gate.opened.set()
        await waits.answer
        label = app.state.serving.catalog.models[0].label
    assert [answer.status_code for answer in answers] == [429, 429]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert waits.sent[0]["status"] == 200
    assert metric(app, "bicross_refusals_total", code="overloaded") == 2
    assert metric(app, "bicross_deadline_misses_total", model=label, lane="ingest") == 0


async def test_room_is_given_back_after_every_answer(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    async with busy(served, gated) as (client, app, _):
        assert app.state.serving.admission.held(Lane.INGEST) > 0
        headers = {"x-bicross-timeout-ms": "1"}
        await client.post(URL, json=embeddings_body, headers=headers)
    assert [app.state.serving.admission.held(lane) for lane in Lane] == [0, 0]


class RawRequest:
    """A request below the client: it sees when its work is queued, and it can hang up."""

    def __init__(self, app: FastAPI, body: dict[str, Any]) -> None:
        content = httpx.Request("POST", "http://test", json=body).read()
        self._messages = [{"type": "http.request", "body": content, "more_body": False}]
        self.queued, self.left = asyncio.Event(), asyncio.Event()
        self.sent: list[Any] = []
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": URL}
        scope |= {"headers": [(b"content-type", b"application/json")], "query_string": b""}
        self.answer = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop()
        # Asked for again, with the body read: the server now waits for whichever comes first.
        self.queued.set()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def test_client_that_leaves_takes_its_work_with_it(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    async with busy(served, gated) as (_, app, _):
        request = RawRequest(app, embeddings_body)
        await request.queued.wait()
        request.left.set()
        await request.answer
        label = app.state.serving.catalog.models[0].label
    assert request.sent[0]["status"] == 499
    assert metric(app, "bicross_abandoned_requests_total", model=label, lane="ingest") == 1
    assert metric(app, "bicross_texts_total", model=label, lane="ingest") == 1


async def test_client_that_leaves_takes_nothing_from_who_asked_for_the_same(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    async with busy(served, gated) as (client, app, _):
        request = RawRequest(app, embeddings_body)
        await request.queued.wait()
        stays = [RawRequest(app, embeddings_body) for _ in range(2)]
        await asyncio.gather(*(each.queued.wait() for each in stays))
        request.left.set()
        await request.answer
        gate: Any = gated.models[0].encoder
        gate.opened.set()
        await asyncio.gather(*(each.answer for each in stays))
        alone = await client.post(URL, json=embeddings_body)
        label = app.state.serving.catalog.models[0].label
    assert [each.sent[0]["status"] for each in stays] == [200, 200]
    answers = [orjson.loads(each.sent[1]["body"]) for each in stays]
    assert answers[0] == answers[1]
    assert answers[0]["usage"] == alone.json()["usage"]
    # The first request's, theirs once, and those of the last.
    assert metric(app, "bicross_texts_total", model=label, lane="ingest") == 1 + 2 + 2
    assert metric(app, "bicross_shared_texts_total", model=label, lane="ingest") == 2


async def test_client_that_leaves_during_two_runs_begins_no_third(
    served: Any, gated_model: ServedModel, gate: Any
) -> None:
    gated, catalog = gate(gated_model, streams=2), Catalog([gated_model.bundle])
    catalog.models[0] = gated_model
    body = {"model": "tiny-bi", "input": ["the cat", "the dog", "the bird", "the king"]}
    async with served(catalog, streams=2, batch_rows=1) as (_, app):
        request = RawRequest(app, body)
        for _ in range(2):
            assert await asyncio.to_thread(gated.entered.acquire, timeout=30)
        request.left.set()
        await request.answer
        held = app.state.serving.admission.held(Lane.INGEST)
        gated.opened.set()
    assert request.sent[0]["status"] == 499
    assert held == 0
    assert len(gated.batches) == 2


async def test_request_that_waits_when_the_drain_ends_is_told_so(
    served: Any, gated: Catalog, embeddings_body: dict[str, Any]
) -> None:
    async with busy(served, gated) as (_, app, first):
        request = RawRequest(app, embeddings_body)
        await request.queued.wait()
        app.state.serving.scheduler.stop()
        await request.answer
        assert not first.done()
    assert request.sent[0]["status"] == 503
    assert b"shutting_down" in request.sent[1]["body"]


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "soon", "", "١٢"], ids=ascii)
async def test_deadline_that_is_no_number_of_milliseconds_is_refused(
    value: str, client: httpx.AsyncClient, embeddings_body: dict[str, Any]
) -> None:
    headers = {b"x-bicross-timeout-ms": value.encode()}
    response = await client.post(URL, json=embeddings_body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "X-Bicross-Timeout-Ms"


async def test_deadline_far_away_is_taken(
    client: httpx.AsyncClient, embeddings_body: dict[str, Any]
) -> None:
    headers = {"x-bicross-timeout-ms": "9" * 40}
    response = await client.post(URL, json=embeddings_body, headers=headers)
    assert response.status_code == 200


async def test_many_requests_at_once_each_get_their_own_answer(
    client: httpx.AsyncClient, bi_encoder: BiEncoder
) -> None:
    texts = [f"the cat {'bread ' * (n % 7)} {n}" for n in range(60)]
    bodies = [{"model": "tiny-bi", "input": text} for text in texts]
    responses = await asyncio.gather(*(client.post(URL, json=body) for body in bodies))
    expected = bi_encoder.encode(texts, "passage")
    for response, row in zip(responses, expected, strict=True):
        vector = response.json()["data"][0]["embedding"]
        assert vector == pytest.approx(row.tolist(), abs=1e-5)
