"""The routes that are asked most, without what FastAPI does for routes that need it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class Direct:
    """POSTs go straight to their endpoints, which read their bodies themselves and answer whole.

    FastAPI's matching, dependencies and answer model took a third of what the event loop spends on
    a single query. Everything else goes on to `app`, whose routes stay for /docs, and for the
    answer to another method.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = None
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def direct_endpoints(routers: Sequence[APIRouter]) -> dict[str, Endpoint]:
    """By their paths."""
    return {
        route.path: route.endpoint
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and route.methods == {"POST"}
    }
