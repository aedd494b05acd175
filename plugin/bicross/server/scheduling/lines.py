"""How the jobs of one lane stand in line: by graph, by client, by job. Pure."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator

from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.fair_shares import FairShares
from bicross.server.scheduling.work import Graph, Item, Job


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


class GraphLine:
    """The clients of one graph. Who was given more than `slack` beyond the least rides on nobody's
    batch: so of two that wait none is ever more than `slack` and one batch ahead.
    """

    def __init__(self, slack: float) -> None:
        self._slack = slack
        self._shares = FairShares[str]()
        self._clients: dict[str, ClientLine] = {}

    def __iter__(self) -> Iterator[Job]:
        """Whose turn it is, then who may ride."""
        clients = self._shares.in_turn()
        most = self._shares.tag(clients[0]) + self._slack
        for client in clients:
            if self._shares.tag(client) <= most:
                yield from self._clients[client]

    def __bool__(self) -> bool:
        return bool(self._clients)

    def jobs(self) -> list[Job]:
        return [job for line in self._clients.values() for job in line]

    def add(self, job: Job) -> None:
        client = job.order.client
        self._shares.join(client)
        self._clients.setdefault(client, ClientLine(self._slack)).add(job)

    def remove(self, job: Job) -> None:
        client = job.order.client
        line = self._clients[client]
        line.remove(job)
        if not line:
            del self._clients[client]
            self._shares.leave(client)

    def charge(self, items: list[Item], each: float) -> None:
        """A run holds `items`; each costs `each`, its padding with it."""
        counts: dict[str, int] = {}
        for item in items:
            client = item.job.order.client
            counts[client] = counts.get(client, 0) + 1
        for client, count in counts.items():
            self._shares.charge(client, count * each)
            self._clients[client].charge(count * each)


class LaneLine:
    """The graphs of one lane, which share it equally."""

    def __init__(self, slack: float) -> None:
        self._slack = slack
        self._shares = FairShares[Graph]()
        self._graphs: dict[Graph, GraphLine] = {}

    def __getitem__(self, graph: Graph) -> GraphLine:
        return self._graphs[graph]

    def __bool__(self) -> bool:
        return bool(self._graphs)

    def jobs(self) -> list[Job]:
        return [job for line in self._graphs.values() for job in line.jobs()]

    def next_graph(self, may_run: Callable[[Graph], bool]) -> Graph | None:
        """Whose turn it is of those that have work and `may_run`."""
        return self._shares.least(graph for graph in self._graphs if may_run(graph))

    def add(self, job: Job) -> None:
        graph = job.order.graph
        self._shares.join(graph)
        self._graphs.setdefault(graph, GraphLine(self._slack)).add(job)

    def remove(self, job: Job) -> None:
        graph = job.order.graph
        line = self._graphs[graph]
        line.remove(job)
        if not line:
            del self._graphs[graph]
            self._shares.leave(graph)

    def forget(self, model: ServedModel) -> None:
        self._shares.forget(lambda graph: graph[0] is model)

    def charge(self, graph: Graph, cost: float) -> None:
        """The graph, which has work, was given `cost`."""
        self._shares.charge(graph, cost)
