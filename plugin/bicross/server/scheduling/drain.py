"""How fast each lane's work is done, from the runs of the last seconds. Pure: no clock."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from bicross.server.scheduling.admission import Lane

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
        self._runs: deque[Run] = deque()

    def add(self, run: Run) -> None:
        """Runs come in the order in which they ended. The last one is kept however old."""
        self._runs.append(run)
        while run.ended - self._runs[0].ended > WINDOW_S:
            self._runs.popleft()

    def tokens_per_s(self, lane: Lane) -> float | None:
        """What `lane` gets of the machine while the others have as much to do as of late.

        A lane that had no run in the window gets its share of the whole. None before any run.
        """
        busy = self._busy_s()
        if not busy:
            return None
        done = dict.fromkeys(Lane, 0)
        for run in self._runs:
            done[run.lane] += run.tokens
        if done[lane]:
            return done[lane] / busy
        others = sum(self._weights[each] for each in Lane if done[each])
        share = self._weights[lane] / (self._weights[lane] + others)
        return sum(done.values()) / busy * share

    def _busy_s(self) -> float:
        busy, until = 0.0, None
        for run in self._runs:
            begin = run.began
            if until is not None and run.began - until <= PAUSE_S:
                begin = until
            busy += max(0.0, run.ended - begin)
            until = run.ended
        return busy
