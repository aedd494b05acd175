"""How much work may wait: bounded per lane by tokens and by each request's deadline, and a refusal
that comes at once.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush

from bicross.errors import Overloaded
from bicross.server.admission.clients import Clients
from bicross.server.admission.promises import Promise, Promises
from bicross.server.scheduling.lane import Lane
from bicross.server.telemetry.metrics import Metrics

MAX_RETRY_AFTER_S = 300
# Of the time until its deadline a request may wait so much, since a rate is not steady and who
# comes later shares the machine. The rest is for those who were told to come.
SURE = 0.75


@dataclass(eq=False)
class Place:
    """Room that one request of `client` holds until it is answered.

    It came with `asked` tokens, by which a promise knows it again, and `told` when to come.
    `deadline` is an instant of the admission's clock.
    """

    lane: Lane
    client: str
    asked: int
    told: bool
    deadline: float
    tokens: int = 0


class _Held:
    """The places of one lane."""

    def __init__(self, batch_tokens: int) -> None:
        self.tokens = 0
        self.promises = Promises()
        self.clients = Clients(batch_tokens)
        self._by_size: list[tuple[int, int, Place]] = []

    def resize(self, place: Place, tokens: int) -> None:
        more = tokens - place.tokens
        self.tokens += more
        self.clients.change(place.client, more, (tokens > 0) - (place.tokens > 0))
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
        batch_tokens: int,
        metrics: Metrics,
        tokens_per_s: Callable[[Lane], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_tokens = max_tokens
        self._gauges = {lane: metrics.queue_tokens.labels(lane) for lane in Lane}
        self._tokens_per_s = tokens_per_s
        self._clock = clock
        self._held = {lane: _Held(batch_tokens) for lane in Lane}

    def held(self, lane: Lane) -> int:
        """Tokens admitted to `lane` and not yet answered."""
        return self._held[lane].tokens

    @contextmanager
    def place(
        self, lane: Lane, tokens: int, client: str = "", deadline: float = math.inf
    ) -> Iterator[Place]:
        """Room for `tokens`, held while the block runs; `resize` it when the number is known.

        A lane that holds nothing takes any one request. Raises `Overloaded`, with the seconds
        after which `client` should find room. Until it comes back others leave that room to it.
        """
        promised = self._held[lane].promises.claim(client, tokens, self._clock())
        place = Place(lane, client, tokens, promised is not None, deadline)
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

    def require_time(self, place: Place, needed: int) -> None:
        """Raises `Overloaded`, as `place`, where what goes before `needed` tokens of `place`, and
        they, would not be done by its deadline. One that has passed is the scheduler's to tell.

        They count for no more than what goes before them: the rate may be that of a slower model,
        and a request that nothing delays is not refused for its size.
        """
        held, now = self._held[place.lane], self._clock()
        left_s = place.deadline - now
        others = held.tokens - place.tokens
        rate = self._tokens_per_s(place.lane) if others and left_s > 0 else None
        if rate is None:
            return
        limit = rate * left_s * (1 if place.told else SURE)
        kept = self._kept(place, limit)
        if others + kept + needed <= limit:
            return
        ahead = held.clients.ahead(place.client, place.tokens, needed)
        # Of what was promised as much goes before it as of what is held.
        if ahead * (1 + kept / others) + min(needed, ahead) <= limit:
            return
        raise Overloaded(
            f"what goes before this request in the {place.lane} queue, {ahead} tokens, takes about "
            f"{ahead / rate:.1f} s, and its deadline is in {left_s:.1f} s: send it again later, "
            "allow it more time with `X-Bicross-Timeout-Ms`, or send it to another server",
            retry_after_s=self._retry_after_s(place, place.tokens, ahead, limit),
        )

    def _require_room(self, held: _Held, place: Place, tokens: int) -> None:
        others = held.tokens - place.tokens
        kept = self._kept(place, self._max_tokens)
        if others + kept + tokens <= self._max_tokens or not (others or kept):
            return
        raise Overloaded(
            f"the {place.lane} queue holds {others} tokens and takes {self._max_tokens}; "
            f"this request needs up to {tokens}: send it again later",
            retry_after_s=self._retry_after_s(place, tokens, others, self._max_tokens),
        )

    def _kept(self, place: Place, limit: float) -> float:
        """What `place` leaves to those who were told to come: half of `limit` at most, since a
        flood that never returns would leave the server idle.
        """
        if place.told:
            return 0
        return min(self._held[place.lane].promises.tokens(self._clock()), limit / 2)

    def _retry_after_s(self, place: Place, tokens: int, ahead: int, limit: float) -> int:
        """Whole seconds until `tokens` are within `limit`, with what is `ahead` and was promised.

        Work is done at the lane's rate; a place is given back whole, so room may come as late as
        the largest place's end; and what was promised is worked on only when it is back.
        """
        rate, now = self._tokens_per_s(place.lane), self._clock()
        if rate is None:
            return 1
        held = self._held[place.lane]
        begin, work = held.promises.foresee(ahead, rate, now, least=limit / 2)
        largest = max(held.largest(), held.promises.largest)
        due = begin + max(0.0, work + largest + tokens - limit) / rate
        told_s = max(1, math.ceil(due - now))
        if told_s > MAX_RETRY_AFTER_S:
            return MAX_RETRY_AFTER_S
        if not held.promises.full:
            promise = Promise(place.client, place.asked, tokens, due, now + told_s)
            held.promises.add(promise)
        return told_s
