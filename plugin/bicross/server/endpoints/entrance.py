"""A request's body and its room in the queue: a full queue refuses before it is parsed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from bicross.bundle.record import Task
from bicross.server.admission.entry import Entry
from bicross.server.endpoints.bodies import parse_object, read_body
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.lane import Lane
from bicross.server.serving import Numbers, Serving, Work
from bicross.server.settings import Settings

QUERY = b'"query"'
PARTIAL = b'"partial"'


@dataclass
class Entered:
    """A request with its body's object, and by when it wants its answer: see `Serving.deadline`."""

    request: Request
    serving: Serving
    deadline: float
    entry: Entry
    body: dict[str, Any]

    @property
    def settings(self) -> Settings:
        return self.serving.settings

    def find(self, model_id: str, task: Task) -> ServedModel:
        return self.serving.catalog.find(model_id, task)

    async def compute(self, work: Work) -> Numbers:
        return await self.serving.compute(self.request, work, self.deadline, self.entry)


@asynccontextmanager
async def entering(request: Request, lane: Lane | None = None) -> AsyncIterator[Entered]:
    """The request, whose entry ends with the block.

    `lane` is that of all requests to a path. Of another path a large body enters with ingest before
    it is read, and one that cannot say `query` before it is parsed; `compute` moves what was a
    search after all. Raises a `RequestError`.
    """
    serving: Serving = request.app.state.serving
    settings = serving.settings
    deadline = serving.deadline(request)
    client = request.client.host if request.client else ""
    most = settings.max_request_tokens
    with Entry(serving.admission, client, most, deadline) as entry:
        body = await _read_object(request, settings, entry, lane)
        yield Entered(request, serving, deadline, entry, body)


async def _read_object(
    request: Request, settings: Settings, entry: Entry, lane: Lane | None
) -> dict[str, Any]:
    """A function of its own, so that the bytes are not kept while the request waits."""
    body = await read_body(
        request,
        settings.max_body_bytes,
        settings.body_timeout_s,
        # Only reranks, whose lane is known, may be partial.
        lambda size: entry.expect(size, lane or Lane.INGEST, whole=lane is None),
    )
    entry.expect(len(body), lane or _lane_of(body), whole=PARTIAL not in body)
    return parse_object(body)


def _lane_of(body: bytes) -> Lane | None:
    """None where it may be either, for all that can be seen without parsing."""
    return None if QUERY in body else Lane.INGEST
