"""Room that refused clients were told to come back for. Pure: its caller has the clock."""

from dataclasses import dataclass

# A promise lapses so long after the instant at which its client was told to come back.
GRACE_S = 2.0
# Clients' clocks may bring them so much early.
EARLY_S = 0.05
# How much the latest promise counts in the share of those that were claimed.
LATEST = 0.1
# Each refusal looks at all of them.
MAX_PROMISES = 1000


@dataclass(frozen=True, slots=True)
class Promise:
    """`client`, who asked for `asked` tokens, finds room for `tokens`, drained by `due`, when it
    comes back at `back` and asks for as many.
    """

    client: str
    asked: int
    tokens: int
    due: float
    back: float


class Promises:
    """Of one lane. Who is refused later is told to come later, so that clients refused at one
    moment do not all come back at once.

    Promises count by the share of them that was claimed of late: room that nobody comes back for
    keeps nobody out.
    """

    def __init__(self) -> None:
        self._waiting: list[Promise] = []
        self._tokens = 0
        self._claimed_share = 1.0

    @property
    def full(self) -> bool:
        return len(self._waiting) >= MAX_PROMISES

    def add(self, promise: Promise) -> None:
        """`promise` is due no sooner than those before it."""
        self._waiting.append(promise)
        self._tokens += promise.tokens

    def foresee(self, work: float, rate: float, now: float, least: float) -> tuple[float, float]:
        """The instant at which the last comes back, and the tokens left to do then with its own.

        `work` is what there is now, done at `rate` tokens a second, and newcomers keep it from
        falling below `least`.
        """
        at, work = now, max(least, work)
        for promise in self._waiting:
            if promise.back > at:
                work, at = max(least, work - rate * (promise.back - at)), promise.back
            work += promise.tokens * self._claimed_share
        return at, work

    @property
    def largest(self) -> int:
        return max((promise.tokens for promise in self._waiting), default=0)

    def tokens(self, now: float) -> int:
        """Of those who are expected to come back yet."""
        self._lapse(now)
        return round(self._tokens * self._claimed_share)

    def claim(self, client: str, asked: int, now: float) -> int | None:
        """The tokens that `client`, who comes back and asks for `asked`, was promised; None where
        it was not told to come now.
        """
        self._lapse(now)
        for place, promise in enumerate(self._waiting):
            if promise.due - EARLY_S > now:
                return None
            known = (promise.client, promise.asked) == (client, asked)
            if known and promise.back - EARLY_S <= now:
                self._end(place, claimed=1.0)
                return promise.tokens
        return None

    def _lapse(self, now: float) -> None:
        while self._waiting and self._waiting[0].back + GRACE_S < now:
            self._end(0, claimed=0.0)

    def _end(self, place: int, *, claimed: float) -> None:
        self._tokens -= self._waiting.pop(place).tokens
        self._claimed_share += LATEST * (claimed - self._claimed_share)
