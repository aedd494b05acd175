"""What is told of a request: counts, a trace, and a line in the log where it was slow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bicross.server.telemetry.metrics import Metrics
from bicross.server.telemetry.slow_log import SlowLog
from bicross.server.telemetry.stages import Answered, Stages
from bicross.server.telemetry.tracing import trace_id

if TYPE_CHECKING:
    from bicross.server.telemetry.spans import Tracing


@dataclass(frozen=True)
class Observer:
    """`tracing` is None where no trace is wanted."""

    metrics: Metrics
    slow_log: SlowLog
    tracing: "Tracing | None" = None

    def answer_begins(self, stages: Stages) -> None:
        """The first byte of the answer leaves."""
        if stages.computed_at is None:
            return
        now = stages.clock()
        stages.add("serialize", stages.computed_at, now)
        series = self.metrics.of(stages.model, stages.lane)
        series.serialize_seconds.observe(now - stages.computed_at)
        stages.computed_at = None

    def refused(self, code: str) -> None:
        self.metrics.refusals.labels(code).inc()

    def ended(self, answered: Answered, headers: Mapping[bytes, bytes]) -> None:
        stages, route = answered.stages, answered.route
        self.metrics.requests.labels(route, str(answered.status)).inc()
        self.metrics.request_seconds.labels(route).observe(stages.ended - stages.began)
        trace = self.tracing.record(answered, headers) if self.tracing else trace_id(headers)
        self.slow_log.see(route, answered.status, stages, trace)
