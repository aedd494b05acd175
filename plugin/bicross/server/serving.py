"""One request's way to its numbers: admitted, tokenised, scheduled, awaited while it may."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.requests import ClientDisconnect, Request

from bicross.errors import InvalidRequest, TextTooLong, TooManyInputs
from bicross.runtime import FloatArray, Row, TokenSequence
from bicross.server.admission.admission import Admission
from bicross.server.admission.entry import Entry
from bicross.server.loading import Loading
from bicross.server.models.catalog import Catalog, ServedModel
from bicross.server.scheduling.caches import Caches, Kind
from bicross.server.scheduling.filling import Size
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.priority import yield_to_requests
from bicross.server.scheduling.scheduler import Scheduler
from bicross.server.scheduling.work import Job, Order
from bicross.server.scheduling.work_queue import SEARCH_RUNS, Sharing, WorkQueue
from bicross.server.settings import MIB, Settings
from bicross.server.telemetry.metrics import Metrics
from bicross.server.telemetry.stages import Stages

TIMEOUT_HEADER = "X-Bicross-Timeout-Ms"
# Of a body: below it a hop to another thread costs more than tokenising.
INLINE_BYTES = 2048
# To wait for the client to leave as well costs a task for each request, a twentieth of what a short
# query costs the event loop; most are answered before anybody would leave.
UNWATCHED_S = 0.02


@dataclass(frozen=True)
class Work:
    """What a request wants computed. `most_tokens` bounds what `tokenize` will give.

    `field` names the texts in messages, as `input`; `truncate` allows that they are cut, and
    `partial` that not all are computed when the deadline comes.
    """

    model: ServedModel
    lane: Lane
    tokenize: Callable[[], list[TokenSequence]]
    most_tokens: int
    field: str
    truncate: bool
    partial: bool = False


@dataclass(frozen=True)
class Numbers:
    """`rows` has one row per text, of partial work per text of `computed`, by place; `tokens` were
    computed, of `truncated` texts not all.
    """

    rows: list[Row]
    computed: list[int]
    tokens: int
    truncated: int

    @property
    def array(self) -> FloatArray:
        """Rows of one shape, [texts, ...]."""
        return np.stack([row for row in self.rows if isinstance(row, np.ndarray | np.floating)])


class Serving:
    """What all requests share. Made inside the event loop; `close` ends its threads.

    `loaded` is set when every model has been tried, whether it serves or not.
    """

    def __init__(self, catalog: Catalog, settings: Settings, metrics: Metrics) -> None:
        self.catalog = catalog
        self.settings = settings
        self.metrics = metrics
        streams = settings.streams or 1
        sharing = Sharing(
            Size(settings.batch_tokens, settings.batch_rows),
            settings.search_weight,
            ingest_runs=streams,
            ingest_run_s=settings.ingest_run_ms / 1000,
        )
        workers = streams + SEARCH_RUNS
        sizes: dict[Kind, int] = {
            "query": settings.query_cache_mb * MIB,
            "score": settings.score_cache_mb * MIB,
        }
        caches, queue = Caches(sizes, metrics), WorkQueue(sharing)
        self.scheduler = Scheduler(queue, caches, metrics, time.monotonic, workers)
        self.admission = Admission(
            settings.max_queue_tokens, settings.batch_tokens, metrics, self.scheduler.tokens_per_s
        )
        self.loaded = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._tokenizers = ThreadPoolExecutor(
            2, thread_name_prefix="bicross-tokenize", initializer=yield_to_requests
        )

    def start(self, loading: Loading) -> None:
        self.scheduler.start()
        loading.then(self._note_loaded)

    async def close(self) -> None:
        """Refuses what waits and lets the run in progress end."""
        self.scheduler.stop()
        await asyncio.to_thread(self.scheduler.join)
        self._tokenizers.shutdown(wait=False)

    def _note_loaded(self) -> None:
        # The loop may have been closed by a shutdown meanwhile.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.loaded.set)

    def deadline(self, request: Request) -> float:
        """The instant by which `request` wants its answer, of the monotonic clock.

        Raises `InvalidRequest` for a header that is not a positive whole number.
        """
        limit = float(self.settings.request_timeout_s)
        given = request.headers.get(TIMEOUT_HEADER)
        if given is not None:
            if not (given.isascii() and given.isdecimal() and int(given[:18]) > 0):
                raise InvalidRequest(
                    f"`{TIMEOUT_HEADER}` must be a whole number of milliseconds above 0",
                    param=TIMEOUT_HEADER,
                )
            limit = min(limit, int(given[:18]) / 1000)
        return time.monotonic() + limit

    async def compute(self, request: Request, work: Work, deadline: float, entry: Entry) -> Numbers:
        """Raises a `RequestError`, or `ClientDisconnect` where the client left."""
        stages = Stages.of(request.scope)
        stages.model, stages.lane = work.model.label, work.lane.value
        series = self.metrics.of(stages.model, stages.lane)
        entry.admit(work.lane, work.most_tokens, whole=not work.partial)
        with series.tokenize_seconds.time(), stages.timed("tokenize"):
            sequences = await self._tokenize(work, entry.body_bytes)
        tokens = sum(sequence.length for sequence in sequences)
        stages.texts, stages.tokens = len(sequences), tokens
        self._require_fit(work, sequences, tokens)
        entry.resize(tokens)
        order = Order(work.model, work.lane, sequences, deadline, entry.client, work.partial)
        rows = await self._await(self.scheduler.submit(order), request)
        computed = [sequences[index] for index in rows]
        truncated = sum(sequence.truncated for sequence in computed)
        series.truncated.inc(truncated)
        series.partial_answers.inc(len(computed) < len(sequences))
        stages.computed_at = stages.clock()
        tokens = sum(sequence.length for sequence in computed)
        return Numbers(list(rows.values()), list(rows), tokens, truncated)

    async def _tokenize(self, work: Work, body_bytes: int) -> list[TokenSequence]:
        if body_bytes <= INLINE_BYTES:
            return work.tokenize()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._tokenizers, work.tokenize)

    def _require_fit(self, work: Work, sequences: list[TokenSequence], tokens: int) -> None:
        if tokens > self.settings.max_request_tokens:
            raise TooManyInputs(
                f"`{work.field}` has {tokens} tokens in all; the limit max_request_tokens is "
                f"{self.settings.max_request_tokens}: split the request",
                param=work.field,
            )
        if work.truncate:
            return
        for index, sequence in enumerate(sequences):
            if sequence.truncated:
                name = f"{work.field}[{index}]"
                raise TextTooLong(
                    f"`{name}` has {sequence.full_length} tokens; model {work.model.label} takes "
                    f"{sequence.length}: shorten it, or allow `truncate`",
                    param=name,
                )

    async def _await(self, job: Job, request: Request) -> dict[int, Row]:
        left: asyncio.Future[None] | None = None
        try:
            await asyncio.wait((job.answer,), timeout=min(UNWATCHED_S, _remaining(job)))
            if not job.answer.done():
                left = asyncio.ensure_future(_client_left(request))
                waited_for: set[asyncio.Future[Any]] = {job.answer, left}
                await asyncio.wait(
                    waited_for, timeout=_remaining(job), return_when=asyncio.FIRST_COMPLETED
                )
            if job.answer.done():
                return job.answer.result()
            if left is not None and left.done():
                order = job.order
                self.metrics.of(order.model.label, order.lane.value).abandoned.inc()
                raise ClientDisconnect
            return self.scheduler.expire(job)
        finally:
            if left is not None:
                left.cancel()
            self.scheduler.withdraw(job)
            _note_waiting(Stages.of(request.scope), job)


def _remaining(job: Job) -> float:
    """Seconds until its deadline, not below 0."""
    return max(0.0, job.order.deadline - time.monotonic())


def _note_waiting(stages: Stages, job: Job) -> None:
    now, started = stages.clock(), job.started_at
    stages.add("queue", job.queued_at, now if started is None else started)
    if started is not None:
        stages.add("infer", started, now)


async def _client_left(request: Request) -> None:
    """Ends when the client closes its connection. The body has been read by then."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
