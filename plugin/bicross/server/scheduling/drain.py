"""How fast each lane's work is done, from the last seconds of runs. Pure: no clock."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from bicross.server.scheduling.lane import Lane

WINDOW_S = 5.0
# Between two runs no longer apart than this the machine was at work, not at rest.
PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a model, between two instants of one clock."""

    lane: Lane
    tokens: int
    began: float
    ended: float


class DrainRate:
    """`weights` are the lanes' shares where both have work."""

    def __init__(self, weights: Mapping[Lane, float]) -> None:
        self._weights = weights
        self._runs: deque[tuple[Run, float]] = deque()
        self._done = dict.fromkeys(Lane, 0)
        self._busy_s = 0.0

    def add(self, run: Run) -> None:
        """Runs come in the order in which they ended. The last one is kept however old."""
        busy_s = self._adds_s(run)
        self._count(run, busy_s, 1)
        self._runs.append((run, busy_s))
        while run.ended - self._runs[0][0].ended > WINDOW_S:
            self._count(*self._runs.popleft(), -1)

    def tokens_per_s(self, lane: Lane) -> float | None:
        """What `lane` gets of the machine while the others have as much to do as of late.

        At least its share of the whole: it had less where it asked for less. None before any run.
        """
        if self._busy_s <= 0:
            return None
        others = sum(self._weights[each] for each in Lane if self._done[each] and each is not lane)
        share = self._weights[lane] / (self._weights[lane] + others)
        return max(self._done[lane], sum(self._done.values()) * share) / self._busy_s

    def _adds_s(self, run: Run) -> float:
        """Seconds at work that `run` adds to those before it."""
        begin = run.began
        if self._runs and begin - self._runs[-1][0].ended <= PAUSE_S:
            begin = self._runs[-1][0].ended
        return max(0.0, run.ended - begin)

    def _count(self, run: Run, busy_s: float, times: int) -> None:
        self._done[run.lane] += times * run.tokens
        self._busy_s += times * busy_s
