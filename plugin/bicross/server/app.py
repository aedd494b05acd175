"""The ASGI application: routes, the door before them, and the models behind them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bicross import __version__
from bicross.server.endpoints import (
    embeddings,
    health,
    listing,
    multi_vector,
    rerank,
    sparse_embeddings,
)
from bicross.server.loading import Loading
from bicross.server.models.catalog import Catalog
from bicross.server.opening import Begun
from bicross.server.serving import Serving
from bicross.server.settings import Settings
from bicross.server.swap import Swapper
from bicross.server.telemetry.metrics import Metrics
from bicross.server.telemetry.observing import Observer
from bicross.server.telemetry.slow_log import SlowLog
from bicross.server.transport.direct import Direct, direct_endpoints
from bicross.server.transport.door import Doorkeeper, Doors

if TYPE_CHECKING:
    from bicross.server.telemetry.spans import Tracing

TITLE = "bicross"
SUMMARY = "Embeddings and reranking from ONNX bundles"
# FastAPI's own traces and logs hold what errors say, which may quote a text, and go where the
# environment tells it to; before 0.165 it has none.
NO_TELEMETRY: dict[str, Any] = {
    "telemetry": dict.fromkeys(
        ("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False
    )
}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    catalog: Catalog,
    settings: Settings,
    doors: Doors,
    begun: Begun | None = None,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    """Serves at once; the models load and prove themselves in a thread meanwhile.

    What has `begun` goes on: the models are not loaded again, and what changes in their stock is
    taken over. Each request is told to `tracing`.
    """
    metrics = begun.loading.metrics if begun else Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        serving = Serving(catalog, settings, metrics)
        app.state.serving = serving
        serving.start(begun.loading if begun else Loading(catalog, settings.threads, metrics))
        swapper = Swapper(begun.stock, serving) if begun else None
        if swapper:
            swapper.start()
        yield
        if swapper:
            swapper.stop()
        await serving.close()
        if tracing:
            await asyncio.to_thread(tracing.close)

    app = _documented_app(lifespan) if settings.docs_shown else _plain_app(lifespan)
    asked = (embeddings, sparse_embeddings, multi_vector, rerank)
    for module in (*asked, listing, health):
        app.include_router(module.router)
    endpoints = direct_endpoints([module.router for module in asked])
    app.add_middleware(Direct, endpoints=endpoints)
    app.add_exception_handler(HTTPException, _leave_to_the_door)
    observer = Observer(metrics, SlowLog(settings.slow_request_ms), tracing)
    app.add_middleware(Doorkeeper, doors=doors, observer=observer)
    return app


def _documented_app(lifespan: Lifespan) -> FastAPI:
    """With pages that come with the package: no browser of ours asks another site for scripts."""
    return FastAPIOffline(
        redoc_url=None,
        title=TITLE,
        summary=SUMMARY,
        version=__version__,
        lifespan=lifespan,
        **NO_TELEMETRY,
    )


def _plain_app(lifespan: Lifespan) -> FastAPI:
    return FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        title=TITLE,
        version=__version__,
        lifespan=lifespan,
        **NO_TELEMETRY,
    )


async def _leave_to_the_door(request: Request, error: Exception) -> Response:
    """FastAPI would answer in a shape of its own."""
    del request
    raise error
