"""Which sequences run next. Pure: no thread, no clock; its caller holds the lock.

Shares are of the machine's time, told in tokens of the batch, with its padding, at the speed last
measured of its model, so that a small model's tokens weigh less than a large one's.
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.fair_shares import FairShares
from bicross.server.scheduling.filling import Size, fill_batch
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.lines import LaneLine
from bicross.server.scheduling.rides import Rides
from bicross.server.scheduling.work import Batch, Graph, Job

# How much the latest run counts in a graph's measured speed.
SPEED_WEIGHT = 0.2
# Threads beyond the streams, that ingest leaves to searches. They share the model's own threads,
# which slows both, but a search need not wait for an ingest run to end: on two cores, beside bulk
# ingest, the slowest hundredth of single queries took an eighth of the time.
SEARCH_RUNS = 1
# No run of searches is made smaller than this: each costs as much as eight tokens by itself (see
# filling.py). Sharing what waits between two streams, a window of 10 passages of 32 tokens took 59
# ms instead of 105, one of 30 of 64 tokens 271 instead of 321, and with 8 clients that send single
# queries the slowest hundredth a sixth less.
LEAST_SHARE_TOKENS = 48
# Searches count as present for so long after the last came or ran.
SEARCHES_LAST_S = 1.0


@dataclass(frozen=True)
class Sharing:
    """`size` bounds a batch. Where both lanes have work, searches get `search_weight` times what
    ingest gets, and of ingest no more than `ingest_runs` batches run at once. While searches are
    present, an ingest batch is of so many tokens as should run within `ingest_run_s`, since one
    that comes shares the cores with it.
    """

    size: Size
    search_weight: float = 4.0
    ingest_runs: int = 1
    ingest_run_s: float = 0.02


class WorkQueue:
    """`rides` knows who shares what runs; it is the caller's to ask until a batch has landed."""

    def __init__(self, sharing: Sharing) -> None:
        self.rides = Rides()
        self._sharing = sharing
        slack = float(sharing.size.tokens)
        self.weights = {Lane.SEARCH: sharing.search_weight, Lane.INGEST: 1.0}
        self._lanes = {lane: LaneLine(slack) for lane in Lane}
        self._shares = FairShares[Lane](self.weights.__getitem__)
        self._waiting: set[Job] = set()
        self._running = Counter[tuple[Lane, ServedModel]]()
        self._ingest_runs = 0
        self._seconds_per_token: dict[Graph, float] = {}
        self._last_search = float("-inf")

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def add(self, job: Job) -> bool:
        """Whether some of `job` runs already."""
        rides = self.rides.add(job)
        if not job.waiting:
            return rides
        lane = job.order.lane
        self._waiting.add(job)
        self._shares.join(lane)
        self._lanes[lane].add(job)
        return rides

    def remove(self, job: Job) -> None:
        """Drops what waits of `job`; nothing where it does not wait."""
        if job not in self._waiting:
            return
        lane = job.order.lane
        self.rides.remove(job)
        self._waiting.remove(job)
        self._lanes[lane].remove(job)
        if not self._lanes[lane]:
            self._shares.leave(lane)

    def jobs(self) -> list[Job]:
        """Those of which something waits."""
        return [job for line in self._lanes.values() for job in line.jobs()]

    def take(self, now: float) -> Batch | None:
        """The next batch; None where nothing waits that may run. `finish` it in any case.

        A search goes before ingest unless searches are a batch beyond their share. Of one lane and
        model no more batches run at once than its encoder has streams: what comes meanwhile shares
        the next batch.
        """
        for lane in self._lanes_in_turn():
            if lane is Lane.INGEST and self._ingest_runs >= self._sharing.ingest_runs:
                continue
            graph = self._lanes[lane].next_graph(partial(self._may_run, lane))
            if graph is not None:
                return self._take(lane, graph, now)
        return None

    def finish(self, batch: Batch, seconds: float | None) -> None:
        """`batch` has run, in `seconds`; None where nothing can be learnt of it."""
        self._ingest_runs -= batch.lane is Lane.INGEST
        running = (batch.lane, batch.model)
        self._running[running] -= 1
        if not self._running[running]:
            del self._running[running]
        if seconds is not None and seconds > 0:
            each = seconds / batch.cost
            known = self._seconds_per_token.get(batch.graph, each)
            self._seconds_per_token[batch.graph] = known + SPEED_WEIGHT * (each - known)

    def forget(self, model: ServedModel) -> None:
        """What was learnt of `model`, which is not served any more, and its shares are dropped."""
        for graph in [graph for graph in self._seconds_per_token if graph[0] is model]:
            del self._seconds_per_token[graph]
        for line in self._lanes.values():
            line.forget(model)

    def _take(self, lane: Lane, graph: Graph, now: float) -> Batch:
        line = self._lanes[lane][graph]
        items = fill_batch(line, self._size(lane, graph, now))
        batch = Batch(lane, graph, items)
        line.charge(items, batch.cost_of)
        cost = batch.cost * self._weight(graph)
        self._lanes[lane].charge(graph, cost)
        self._shares.charge(lane, cost)
        for job in self.rides.board(items):
            if not job.waiting:
                self.remove(job)
        self._running[lane, graph[0]] += 1
        self._ingest_runs += lane is Lane.INGEST
        return batch

    def _lanes_in_turn(self) -> list[Lane]:
        if Lane.SEARCH not in self._shares or Lane.INGEST not in self._shares:
            return self._shares.in_turn()
        ahead = self._shares.tag(Lane.SEARCH) - self._shares.tag(Lane.INGEST)
        search_first = ahead <= self._sharing.size.tokens
        return [Lane.SEARCH, Lane.INGEST] if search_first else [Lane.INGEST, Lane.SEARCH]

    def _may_run(self, lane: Lane, graph: Graph) -> bool:
        model = graph[0]
        return self._running[lane, model] < model.streams

    def _size(self, lane: Lane, graph: Graph, now: float) -> Size:
        whole = self._sharing.size
        if lane is Lane.SEARCH:
            self._last_search = now
            return Size(self._share_of_search(graph), whole.rows)
        seconds_per_token = self._seconds_per_token.get(graph)
        if seconds_per_token is None or now - self._last_search > SEARCHES_LAST_S:
            return whole
        tokens = int(self._sharing.ingest_run_s / seconds_per_token)
        return Size(max(1, min(whole.tokens, tokens)), whole.rows)

    def _share_of_search(self, graph: Graph) -> int:
        """One stream's of the tokens that wait, so that all streams end at about the same time."""
        whole, streams, waiting = self._sharing.size.tokens, graph[0].streams, 0
        if streams == 1:
            return whole
        for job in self._lanes[Lane.SEARCH][graph]:
            waiting += sum(job.length(index) for index in job.waiting)
            if waiting >= streams * whole:
                return whole
        return min(whole, max(LEAST_SHARE_TOKENS, -(-waiting // streams)))

    def _weight(self, graph: Graph) -> float:
        """Of one of its tokens; 1 in the mean of the graphs that were measured."""
        known = self._seconds_per_token
        if graph not in known:
            return 1.0
        return known[graph] * len(known) / sum(known.values())
