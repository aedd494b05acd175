"""How much work may wait: bounded by tokens, per lane, and a refusal that comes at once."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush

from bicross.errors import Overloaded
from bicross.server.scheduling.promises import Promise, Promises
from bicross.server.telemetry.metrics import Metrics

MAX_RETRY_AFTER_S = 300


class Lane(StrEnum):
    """`SEARCH` is what a person waits for: query vectors and reranking. `INGEST` is the rest."""

    SEARCH = "search"
    INGEST = "ingest"


@dataclass(eq=False)
class Place:
    """Room that one request of `client` holds until it is answered.

    It came with `asked` tokens, by which a promise knows it again, and `told` when to come.
    """

    lane: Lane
    client: str
    asked: int
    told: bool
    tokens: int = 0


class _Held:
    """The places of one lane."""

    def __init__(self) -> None:
        self.tokens = 0
        self.promises = Promises()
        self._by_size: list[tuple[int, int, Place]] = []

    def resize(self, place: Place, tokens: int) -> None:
        self.tokens += tokens - place.tokens
        place.tokens = tokens
        if tokens:
            heappush(self._by_size, (-tokens, id(place), place))
        self.largest()

    def largest(self) -> int:
        """Tokens of the largest place."""
        while self._by_size and -self._by_size[0][0] != self._by_size[0][2].tokens:
            heappop(self._by_size)
        return -self._by_size[0][0] if self._by_size else 0


class Admission:
    """Used from the event loop alone. `tokens_per_s` is how fast a lane was last seen to drain."""

    def __init__(
        self,
        max_tokens: int,
        metrics: Metrics,
        tokens_per_s: Callable[[Lane], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_tokens = max_tokens
        # As much is kept for who was told to come, and as much is for newcomers whatever was
        # promised: a flood that never returns would leave the server idle.
        self._half = max_tokens // 2
        self._gauges = {lane: metrics.queue_tokens.labels(lane) for lane in Lane}
        self._tokens_per_s = tokens_per_s
        self._clock = clock
        self._held = {lane: _Held() for lane in Lane}

    def held(self, lane: Lane) -> int:
        """Tokens admitted to `lane` and not yet answered."""
        return self._held[lane].tokens

    @contextmanager
    def place(self, lane: Lane, tokens: int, client: str = "") -> Iterator[Place]:
        """Room for `tokens`, held while the block runs; `resize` it when the number is known.

        A lane that holds nothing takes any one request. Raises `Overloaded`, with the seconds
        after which `client` should find room. Until it comes back others leave that room to it.
        """
        promised = self._held[lane].promises.claim(client, tokens, self._clock())
        place = Place(lane, client, tokens, told=promised is not None)
        self.resize(place, max(tokens, promised or 0))
        try:
            yield place
        finally:
            self.resize(place, 0)

    def resize(self, place: Place, tokens: int) -> None:
        """Raises `Overloaded` where there is no room for `tokens`; the place is then as before."""
        held = self._held[place.lane]
        if tokens > place.tokens:
            self._require_room(held, place, tokens)
        held.resize(place, tokens)
        self._gauges[place.lane].set(held.tokens)

    def _require_room(self, held: _Held, place: Place, tokens: int) -> None:
        others = held.tokens - place.tokens
        kept = 0 if place.told else min(held.promises.tokens(self._clock()), self._half)
        if others + kept + tokens <= self._max_tokens or not (others or kept):
            return
        raise Overloaded(
            f"the {place.lane} queue holds {others} tokens and takes {self._max_tokens}; "
            f"this request needs up to {tokens}: send it again later",
            retry_after_s=self._retry_after_s(held, place, tokens),
        )

    def _retry_after_s(self, held: _Held, place: Place, tokens: int) -> int:
        """Whole seconds until there is room for `tokens` beside all that was promised before.

        Work is done at the lane's rate; a place is given back whole, so room may come as late as
        the largest place's end; and what was promised is worked on only when it is back.
        """
        rate, now = self._tokens_per_s(place.lane), self._clock()
        if rate is None:
            return 1
        others = held.tokens - place.tokens
        begin, work = held.promises.foresee(others, rate, now, self._half)
        largest = max(held.largest(), held.promises.largest)
        excess = work + largest + tokens - self._max_tokens
        due = begin + max(0.0, excess) / rate
        told_s = max(1, math.ceil(due - now))
        if told_s > MAX_RETRY_AFTER_S:
            return MAX_RETRY_AFTER_S
        if not held.promises.full:
            promise = Promise(place.client, place.asked, tokens, due, now + told_s)
            held.promises.add(promise)
        return told_s
