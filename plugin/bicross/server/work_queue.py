"""Which sequences run next. Pure: no thread, no clock; its caller holds the lock."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bicross.bundle.record import InputType
from bicross.runtime import Row, TokenSequence
from bicross.server.admission import Lane
from bicross.server.catalog import ServedModel

# A waiting ingest batch runs after at most so many batches of searches.
SEARCHES_PER_INGEST = 4
# How many sequences behind the oldest job are looked at to fill its batch.
WINDOW = 1024
# Shorter rows are padded: at least so much of a batch must be text.
MIN_FILL_RATIO = 0.75


Graph = tuple[ServedModel, InputType]


@dataclass(eq=False)
class Job:
    """One request's sequences, all of one input type.

    `deadline` and `queued_at` are instants of the scheduler's clock.
    """

    model: ServedModel
    lane: Lane
    sequences: list[TokenSequence]
    deadline: float
    queued_at: float
    answer: "asyncio.Future[list[Row]]"
    waiting: set[int] = field(init=False)
    rows: dict[int, Row] = field(default_factory=dict, init=False)
    started: bool = field(default=False, init=False)
    missed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.waiting = set(range(len(self.sequences)))

    @property
    def graph(self) -> Graph:
        """The model, and which of its graphs: no run has rows for two."""
        two = self.model.manifest.query_graph is not None
        return self.model, self.sequences[0].input_type if two else "passage"


@dataclass(frozen=True, slots=True)
class Item:
    """One sequence of a job, by its place there."""

    job: Job
    index: int

    @property
    def sequence(self) -> TokenSequence:
        return self.job.sequences[self.index]


class WorkQueue:
    """Jobs wait by lane, then by graph, then in order of arrival; graphs of a lane take turns."""

    def __init__(self, batch_tokens: int, batch_rows: int) -> None:
        self._batch_tokens = batch_tokens
        self._batch_rows = batch_rows
        self._lanes: dict[Lane, OrderedDict[Graph, deque[Job]]] = {
            lane: OrderedDict() for lane in Lane
        }
        self._searches_in_a_row = 0

    def add(self, job: Job) -> None:
        self._lanes[job.lane].setdefault(job.graph, deque()).append(job)

    def remove(self, job: Job) -> None:
        """Drops what waits of `job`; nothing where it does not wait."""
        jobs = self._lanes[job.lane].get(job.graph)
        if jobs is not None and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._lanes[job.lane][job.graph]

    def jobs(self) -> list[Job]:
        return [job for lane in self._lanes.values() for jobs in lane.values() for job in jobs]

    def take(self) -> list[Item]:
        """The next batch, all of one graph and lane, longest first; empty where nothing waits.

        Searches go before ingest, but ingest that waits gets one batch after
        `SEARCHES_PER_INGEST` of theirs.
        """
        lane = self._next_lane()
        graphs = self._lanes[lane]
        if not graphs:
            return []
        graph = next(iter(graphs))
        graphs.move_to_end(graph)
        items = fill_batch(graphs[graph], self._batch_tokens, self._batch_rows)
        for item in items:
            item.job.waiting.discard(item.index)
        for job in {item.job for item in items}:
            if not job.waiting:
                self.remove(job)
        return items

    def _next_lane(self) -> Lane:
        ingest_due = self._searches_in_a_row >= SEARCHES_PER_INGEST
        if self._lanes[Lane.SEARCH] and not (ingest_due and self._lanes[Lane.INGEST]):
            self._searches_in_a_row += 1
            return Lane.SEARCH
        self._searches_in_a_row = 0
        return Lane.INGEST


def fill_batch(jobs: Iterable[Job], batch_tokens: int, batch_rows: int) -> list[Item]:
    """The oldest job's longest sequence, with those nearest to it in length from all `jobs`.

    So the oldest job advances with every batch, whoever comes after it. A batch costs longest x
    rows, in tokens, within `batch_tokens` unless it is one sequence, and at least `MIN_FILL_RATIO`
    of that cost is text.
    """
    window = _window(jobs)
    oldest = window[0].job
    anchor = max(
        (item for item in window if item.job is oldest), key=lambda item: item.sequence.length
    )
    target = anchor.sequence.length
    batch, longest, tokens = [anchor], target, target
    for item in sorted(window, key=lambda item: abs(item.sequence.length - target)):
        if len(batch) == batch_rows:
            break
        if item == anchor:
            continue
        length = item.sequence.length
        cost = max(longest, length) * (len(batch) + 1)
        if cost <= batch_tokens and tokens + length >= MIN_FILL_RATIO * cost:
            batch.append(item)
            longest, tokens = max(longest, length), tokens + length
    return sorted(batch, key=lambda item: -item.sequence.length)


def _window(jobs: Iterable[Job]) -> list[Item]:
    window: list[Item] = []
    for job in jobs:
        window.extend(Item(job, index) for index in sorted(job.waiting))
        if len(window) >= WINDOW:
            break
    return window
