"""The app over the tiny bundles, called through ASGI, and requests that are right."""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from bicross.bundle import Bundle, open_bundle
from bicross.bundle.record import InputType
from bicross.runtime import BiEncoder, FloatArray, TokenSequence
from bicross.server.app import create_app
from bicross.server.models.catalog import Catalog, ServedModel, served_model
from bicross.server.models.places import Places
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.work import Job, Order
from bicross.server.serving import Serving
from bicross.server.settings import Settings
from bicross.server.swap import Stock, Swapper
from bicross.server.telemetry.metrics import Metrics
from bicross.server.transport.door import Doors

BUNDLES = Path(__file__).parents[1] / "bundles"
Client = httpx.AsyncClient
Served = Callable[..., AbstractAsyncContextManager[tuple[Client, FastAPI]]]


@dataclass(frozen=True)
class Gated(BiEncoder):
    """The real encoder behind a gate that a test opens; it notes every batch that passes.

    A sequence whose `full_length` is negative makes it run out of memory.
    """

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)
    batches: list[list[int]] = field(default_factory=list)

    def run(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        self.entered.release()
        assert self.opened.wait(30)
        self.batches.append([sequence.length for sequence in sequences])
        if any(sequence.full_length < 0 for sequence in sequences):
            raise MemoryError
        return super().run(sequences)


@pytest.fixture
def gated_model(bi_bundle: Bundle) -> ServedModel:
    """A model whose encoder is `Gated`."""
    model = ServedModel(bi_bundle, "fp32")
    model.encoder = Gated.load(bi_bundle, threads=1)
    return model


@pytest.fixture
def gate() -> Callable[..., Gated]:
    """Puts a gate before a model's encoder."""

    def put(model: ServedModel, streams: int = 1) -> Gated:
        gated = Gated.load(model.bundle, threads=streams, streams=streams)
        model.encoder = gated
        return gated

    return put


@pytest.fixture(scope="session")
def model(bi_bundle: Bundle) -> ServedModel:
    """A model that is not loaded."""
    return ServedModel(bi_bundle, "fp32")


@pytest.fixture(scope="session")
def skipping(bi_bundle: Bundle) -> ServedModel:
    """A model whose graph takes padding out before its layers."""
    graph = bi_bundle.manifest.graph.model_copy(update={"skips_padding": True})
    manifest = bi_bundle.manifest.model_copy(update={"graph": graph})
    return ServedModel(replace(bi_bundle, manifest=manifest), "fp32")


@pytest.fixture(scope="session")
def new_job(model: ServedModel) -> Callable[..., Job]:
    """Builds a job of unlike sequences of the lengths given, whose answer nobody awaits."""
    loop = asyncio.new_event_loop()
    loop.close()
    unloaded, serial = model, count()

    def build(
        *lengths: int,
        model: ServedModel | None = None,
        lane: Lane = Lane.INGEST,
        client: str = "",
        partial: bool = False,
        input_type: InputType = "passage",
    ) -> Job:
        sequences = [
            TokenSequence(
                np.full(n, next(serial), np.int32), np.zeros(n, np.int8), n, input_type=input_type
            )
            for n in lengths
        ]
        order = Order(model or unloaded, lane, sequences, 1.0, client, partial)
        return Job(order, 0.0, asyncio.Future(loop=loop))

    return build


@pytest.fixture(scope="session")
def loaded_catalog(bi_bundle: Bundle, cross_bundle: Bundle) -> Catalog:
    catalog = Catalog([bi_bundle, cross_bundle])
    catalog.load(1, Metrics())
    return catalog


@asynccontextmanager
async def served_app(
    catalog: Catalog, doors: Doors | None = None, **settings: Any
) -> AsyncIterator[tuple[Client, FastAPI]]:
    """A running app with every model tried, and a client of it."""
    app = create_app(catalog, Settings.read(threads=1, **settings), doors or Doors())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        await app.state.serving.loaded.wait()
        yield client, app


@pytest.fixture(scope="session")
def served() -> Served:
    return served_app


@pytest.fixture
async def client(loaded_catalog: Catalog) -> AsyncIterator[Client]:
    async with served_app(loaded_catalog) as (client, _):
        yield client


@dataclass(frozen=True)
class Watched:
    """A server and who looks at its folders, when a test says so."""

    client: Client
    serving: Serving
    swapper: Swapper

    async def look(self, *, at_once: bool = False) -> None:
        await asyncio.to_thread(self.swapper.look, at_once=at_once)

    async def answers(self, model: str = "tiny-bi", input_type: str = "query") -> str:
        """The name of the model that answers, or why none does."""
        body = {"model": model, "input": "the cat", "input_type": input_type}
        response = await self.client.post("/v1/embeddings", json=body)
        found = response.json()
        return str(found["model"] if response.status_code == 200 else found["error"]["code"])

    def metric(self, name: str, **labels: str) -> float | None:
        return self.serving.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def watched_app(*given: Path) -> AsyncIterator[Watched]:
    """A server of bundles, or of folders of bundles."""
    places = Places.of(given)
    found = places.look()
    catalog = Catalog([open_bundle(each.folder) for each in found])
    stock = Stock(places, found, lambda bundle: served_model(bundle, None, None))
    async with served_app(catalog) as (client, app):
        yield Watched(client, app.state.serving, Swapper(stock, app.state.serving))


@pytest.fixture
def watched() -> Callable[..., AbstractAsyncContextManager[Watched]]:
    return watched_app


@pytest.fixture
def lay() -> Callable[[Path, str], str]:
    """Lays a bundle under the name tiny-bi in one step, and says what its answers call it."""

    def put(folder: Path, source: str) -> str:
        staging = folder.with_name(f".{folder.name}")
        shutil.copytree(BUNDLES / source, staging)
        manifest = staging / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"name": "tiny-bi"}))
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
        return f"tiny-bi@{open_bundle(folder).manifest.digest[:12]}"

    return put


@pytest.fixture
def embeddings_body() -> dict[str, Any]:
    return {"model": "tiny-bi", "input": ["the cat sat on the mat", "stock prices fell"]}


@pytest.fixture
def rerank_body() -> dict[str, Any]:
    return {
        "model": "tiny-cross",
        "query": "where does the cat sit",
        "documents": ["stock prices fell", "the cat sat on the mat", "bread is made from water"],
    }
