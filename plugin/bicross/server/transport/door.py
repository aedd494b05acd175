"""What every request passes first: the key, a shutdown, the count of answers, the last catch."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bicross.errors import InvalidApiKey, ShuttingDown
from bicross.server.telemetry.observing import Observer
from bicross.server.telemetry.stages import Answered, Stages
from bicross.server.transport.failures import code_of, failure_response

OPEN = frozenset({"/health/live", "/health/ready"})
# Others are counted as one: a path is the client's text.
COUNTED = OPEN | {
    "/v1/embeddings",
    "/v1/sparse-embeddings",
    "/v1/multi-vector",
    "/v1/rerank",
    "/v2/rerank",
    "/v1/models",
    "/metrics",
    "/docs",
}
METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
)


@dataclass
class Doors:
    """`closed` is set, once, from the signal handler: accepted work goes on, new work does not."""

    keys: Sequence[bytes] = field(default=(), repr=False)
    closed: bool = False

    def require_key(self, authorization: bytes) -> None:
        """Raises `InvalidApiKey`. Every key is compared, in constant time."""
        if not self.keys:
            return
        scheme, _, given = authorization.partition(b" ")
        matches = [hmac.compare_digest(given.strip(), key) for key in self.keys]
        if scheme.lower() != b"bearer" or not any(matches):
            raise InvalidApiKey(
                "the API key is missing or wrong; send the header `Authorization: Bearer KEY`"
            )

    def require_open(self) -> None:
        if self.closed:
            raise ShuttingDown(
                "the server is shutting down and takes no more requests; send to another",
                retry_after_s=1,
            )


class Doorkeeper:
    """Pure ASGI, so that a client that leaves is seen by the route, not by a wrapper."""

    def __init__(self, app: ASGIApp, doors: Doors, observer: Observer) -> None:
        self._app = app
        self._doors = doors
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stages = Stages.of(scope)
        headers = dict(scope["headers"])
        path, status = scope["path"], 0

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._observer.answer_begins(stages)
            await send(message)

        try:
            self._admit(headers, path)
            await self._app(scope, receive, counted_send)
        except Exception as error:
            if status:
                raise
            stages.code = code_of(error)
            self._observer.refused(stages.code)
            await failure_response(error, path)(scope, receive, counted_send)
        stages.ended = stages.clock()
        route = path if path in COUNTED else "other"
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        self._observer.ended(Answered(method, route, status, stages), headers)

    def _admit(self, headers: Mapping[bytes, bytes], path: str) -> None:
        if path not in OPEN:
            self._doors.require_key(headers.get(b"authorization", b""))
        if path != "/health/live":
            self._doors.require_open()
