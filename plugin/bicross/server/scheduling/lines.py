"""How the jobs of one lane stand in line: by graph, by client, by job. Pure."""

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Generic, TypeVar

from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.fair_shares import FairShares
from bicross.server.scheduling.work import Graph, Item, Job, Order

Key = TypeVar("Key", bound=Hashable)
Line = TypeVar("Line", bound="ClientLine | GraphLine")


class ClientLine:
    """One client's jobs on one graph, in the order in which they would end if all ran at once.

    So a small job passes a huge one and is not passed by it, and none ends later than it would
    with an equal share of the machine: the fair sojourn protocol (Friedman and Henderson,
    SIGMETRICS 2003). Jobs of fewer than `least` tokens count as equal and stand as they came: it is
    a batch that is shared out, and a long query that every short one passed would be its client's
    slowest.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._jobs: list[Job] = []
        self._now = 0.0
        self._came = 0

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def jobs(self) -> list[Job]:
        return self._jobs

    def add(self, job: Job) -> None:
        self._came += 1
        tokens = sum(job.length(index) for index in job.waiting)
        job.rank = (self._now + max(self._least, tokens), self._came)
        insort(self._jobs, job, key=lambda each: each.rank)

    def remove(self, job: Job) -> None:
        place = bisect_left(self._jobs, job.rank, key=lambda each: each.rank)
        del self._jobs[place]

    def charge(self, cost: float) -> None:
        """The client's jobs, at least one, were given `cost` together."""
        self._now += cost / len(self._jobs)


class Fork(Generic[Key, Line]):
    """A line for each key that has jobs. The keys share as `FairShares` says."""

    def __init__(self, key_of: Callable[[Order], Key], new_line: Callable[[], Line]) -> None:
        self._key_of = key_of
        self._new_line = new_line
        self._shares = FairShares[Key]()
        self._lines: dict[Key, Line] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def jobs(self) -> list[Job]:
        return [job for line in self._lines.values() for job in line.jobs()]

    def add(self, job: Job) -> None:
        key = self._key_of(job.order)
        if key not in self._lines:
            self._lines[key] = self._new_line()
            self._shares.join(key)
        self._lines[key].add(job)

    def remove(self, job: Job) -> None:
        key = self._key_of(job.order)
        line = self._lines[key]
        line.remove(job)
        if not line:
            del self._lines[key]
            self._shares.leave(key)


class GraphLine(Fork[str, ClientLine]):
    """The clients of one graph. Who was given more than `slack` beyond the least rides on nobody's
    batch: so of two that wait none is ever more than `slack` and one batch ahead.
    """

    def __init__(self, slack: float) -> None:
        super().__init__(lambda order: order.client, partial(ClientLine, slack))
        self._slack = slack

    def __iter__(self) -> Iterator[Job]:
        """Whose turn it is, then who may ride."""
        clients = self._shares.in_turn()
        most = self._shares.tag(clients[0]) + self._slack
        for client in clients:
            if self._shares.tag(client) <= most:
                yield from self._lines[client]

    def charge(self, items: list[Item], cost_of: Callable[[Item], float]) -> None:
        """A run holds `items`, which cost so much, their padding with them."""
        costs: dict[str, float] = {}
        for item in items:
            client = item.job.order.client
            costs[client] = costs.get(client, 0.0) + cost_of(item)
        for client, cost in costs.items():
            self._shares.charge(client, cost)
            self._lines[client].charge(cost)


class LaneLine(Fork[Graph, GraphLine]):
    """The graphs of one lane, which share it equally."""

    def __init__(self, slack: float) -> None:
        super().__init__(lambda order: order.graph, partial(GraphLine, slack))

    def __getitem__(self, graph: Graph) -> GraphLine:
        return self._lines[graph]

    def next_graph(self, may_run: Callable[[Graph], bool]) -> Graph | None:
        """Whose turn it is of those that have work and `may_run`."""
        return self._shares.least(graph for graph in self._lines if may_run(graph))

    def forget(self, model: ServedModel) -> None:
        self._shares.forget(lambda graph: graph[0] is model)

    def charge(self, graph: Graph, cost: float) -> None:
        """The graph, which has work, was given `cost`."""
        self._shares.charge(graph, cost)
