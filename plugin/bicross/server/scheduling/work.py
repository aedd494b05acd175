"""What waits to be computed: an order, its job, and one sequence of it."""

import asyncio
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bicross.bundle.record import InputType
from bicross.runtime import Row, TokenSequence, run_cost
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.keys import Key, key_of
from bicross.server.scheduling.lane import Lane

Graph = tuple[ServedModel, InputType]


@dataclass(frozen=True)
class Order:
    """One request's sequences, all of one input type.

    `deadline` is an instant of the scheduler's clock. `client` shares a lane fairly with others.
    What has been computed of a `partial` order is of use without the rest: it runs in its own
    order, the first sequence mattering most.
    """

    model: ServedModel
    lane: Lane
    sequences: Sequence[TokenSequence]
    deadline: float
    client: str = ""
    partial: bool = False

    @property
    def graph(self) -> Graph:
        """The model, and which of its graphs: no run has rows for two."""
        two = self.model.manifest.query_graph is not None
        return self.model, self.sequences[0].input_type if two else "passage"


def skips_padding(graph: Graph) -> bool:
    model, input_type = graph
    own = model.manifest.query_graph if input_type == "query" else None
    return (own or model.manifest.graph).skips_padding


@dataclass(eq=False)
class Job:
    """An order that was taken. `answer` will hold a row for each sequence, by its index; those of
    a partial order that were computed in time.

    `keys` has one for each sequence, and equal ones share a row: `places` says which they are.
    `waiting` are the indices not yet given to a run, the first of equal ones: by length, or of a
    partial order in its own order, from the last. `queued_at` is an instant of the scheduler's
    clock, as `started_at`, when its first run began; `rank` is the job's place among its client's.
    """

    order: Order
    queued_at: float
    answer: "asyncio.Future[dict[int, Row]]"
    rank: tuple[float, int] = field(default=(0.0, 0), init=False)
    keys: list[Key] = field(init=False)
    places: dict[Key, list[int]] = field(default_factory=dict, init=False)
    waiting: list[int] = field(init=False)
    rows: dict[int, Row] = field(default_factory=dict, init=False)
    started_at: float | None = field(default=None, init=False)
    missed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        secret = self.order.model.secret
        self.keys = [key_of(sequence, secret) for sequence in self.order.sequences]
        for index, key in enumerate(self.keys):
            self.places.setdefault(key, []).append(index)
        firsts = [places[0] for places in self.places.values()]
        if self.order.partial:
            self.waiting = firsts[::-1]
        else:
            self.waiting = sorted(firsts, key=self.length)

    def length(self, index: int) -> int:
        return self.order.sequences[index].length

    @property
    def complete(self) -> bool:
        return len(self.rows) == len(self.order.sequences)

    @property
    def rows_in_order(self) -> dict[int, Row]:
        return dict(sorted(self.rows.items()))

    def item(self, key: Key) -> "Item":
        return Item(self, self.places[key][0])

    def waiting_keys(self) -> list[Key]:
        return [self.keys[index] for index in self.waiting]

    def spare(self, keys: Collection[Key]) -> None:
        """No run is needed for `keys` but those that have begun."""
        if keys:
            self.waiting = [index for index in self.waiting if self.keys[index] not in keys]

    def give(self, key: Key, row: Row) -> int:
        """`row` to all sequences with that key; how many they are."""
        places = self.places[key]
        self.rows |= dict.fromkeys(places, row)
        return len(places)

    def nearest(self, target: int, count: int) -> Iterator["Item"]:
        """What waits and is nearest in length to `target`, `count` on either side of it."""
        if self.order.partial:
            candidates = self.waiting[-count:]
        else:
            middle = bisect_left(self.waiting, target, key=self.length)
            candidates = self.waiting[max(0, middle - count) : middle + count]
        return (Item(self, index) for index in candidates)


@dataclass(frozen=True, slots=True)
class Item:
    """One sequence of a job, by its place there."""

    job: Job
    index: int

    @property
    def key(self) -> Key:
        return self.job.keys[self.index]

    @property
    def length(self) -> int:
        return self.job.length(self.index)

    @property
    def sequence(self) -> TokenSequence:
        return self.job.order.sequences[self.index]


@dataclass(frozen=True)
class Batch:
    """What one run computes: sequences of one graph and lane, longest first."""

    lane: Lane
    graph: Graph
    items: list[Item]

    @property
    def model(self) -> ServedModel:
        return self.graph[0]

    @cached_property
    def cost(self) -> float:
        """What the run computes, in tokens, padding among them; 1 at least, though a text may have
        none.
        """
        return max(1.0, self._cost(sum(item.length for item in self.items), len(self.items)))

    def cost_of(self, item: Item) -> float:
        """With the padding of its row."""
        return self._cost(item.length, 1)

    def _cost(self, tokens: int, rows: int) -> float:
        longest = self.items[0].length
        return run_cost(tokens, rows, longest, skips_padding=skips_padding(self.graph))
