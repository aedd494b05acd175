"""How much work may wait: bounded by tokens, per lane, and a refusal that comes at once."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from bicross.errors import Overloaded
from bicross.server.metrics import Metrics

MAX_RETRY_AFTER_S = 60


class Lane(StrEnum):
    """`SEARCH` is what a person waits for: query vectors and reranking. `INGEST` is the rest."""

    SEARCH = "search"
    INGEST = "ingest"


@dataclass
class Place:
    """Room that one request holds until it is answered."""

    lane: Lane
    tokens: int


class Admission:
    """Used from the event loop alone. `tokens_per_s` is what the machine was last seen to do."""

    def __init__(
        self, max_tokens: int, metrics: Metrics, tokens_per_s: Callable[[Lane], float | None]
    ) -> None:
        self._max_tokens = max_tokens
        self._metrics = metrics
        self._tokens_per_s = tokens_per_s
        self._held = dict.fromkeys(Lane, 0)

    def held(self, lane: Lane) -> int:
        """Tokens admitted to `lane` and not yet answered."""
        return self._held[lane]

    @contextmanager
    def place(self, lane: Lane, tokens: int) -> Iterator[Place]:
        """Room for `tokens`, held while the block runs; `resize` it when the number is known.

        A lane that holds nothing takes any one request. Raises `Overloaded`, with the seconds
        after which the lane should have room.
        """
        held = self._held[lane]
        if held and held + tokens > self._max_tokens:
            raise Overloaded(
                f"the {lane} queue holds {held} tokens and takes {self._max_tokens}; "
                f"this request needs up to {tokens}: send it again later",
                retry_after_s=self._retry_after_s(lane, held + tokens - self._max_tokens),
            )
        place = Place(lane, 0)
        self.resize(place, tokens)
        try:
            yield place
        finally:
            self.resize(place, 0)

    def resize(self, place: Place, tokens: int) -> None:
        self._held[place.lane] += tokens - place.tokens
        place.tokens = tokens
        self._metrics.queue_tokens.labels(place.lane).set(self._held[place.lane])

    def _retry_after_s(self, lane: Lane, excess: int) -> int:
        """Whole seconds until `excess` tokens of the lane are done."""
        rate = self._tokens_per_s(lane)
        if rate is None:
            return 1
        return min(MAX_RETRY_AFTER_S, max(1, math.ceil(excess / rate)))
