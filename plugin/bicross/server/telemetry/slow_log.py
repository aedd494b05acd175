"""A line in the log for a request that took long: what it was and where its time went, no text."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import get_args

from bicross.server.telemetry.stages import Name, Stages

LOG = logging.getLogger("bicross.server.slow")

# When everything is slow, a line for each request would make it slower.
MOST_LINES = 10
PER_S = 10.0


class SlowLog:
    """`threshold_ms` 0 logs nothing. Used from the event loop alone."""

    def __init__(self, threshold_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold_s = threshold_ms / 1000
        self._clock = clock
        self._logged: deque[float] = deque(maxlen=MOST_LINES)
        self._left_out = 0

    def see(self, route: str, status: int, stages: Stages, trace_id: str | None) -> None:
        """At most `MOST_LINES` lines in `PER_S` seconds; the next one counts those left out."""
        seconds = stages.ended - stages.began
        if not self._threshold_s or seconds < self._threshold_s:
            return
        now = self._clock()
        if len(self._logged) == MOST_LINES and now - self._logged[0] < PER_S:
            self._left_out += 1
            return
        self._logged.append(now)
        left_out, self._left_out = self._left_out, 0
        LOG.warning("slow request: %s", _line(route, status, stages, trace_id, left_out))


def _line(route: str, status: int, stages: Stages, trace_id: str | None, left_out: int) -> str:
    """`key=value` with spaces between; a stage that the request did not reach is `-`."""
    fields = {
        "route": route,
        "status": status,
        "model": stages.model or "-",
        "lane": stages.lane or "-",
        "texts": stages.texts,
        "tokens": stages.tokens,
        "ms": _ms(stages.ended - stages.began),
        **{f"{name}_ms": _ms(stages.seconds(name)) for name in get_args(Name)},
        "code": stages.code or "-",
        "trace_id": trace_id or "-",
    }
    if left_out:
        fields["left_out"] = left_out
    return " ".join(f"{name}={value}" for name, value in fields.items())


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f}"
