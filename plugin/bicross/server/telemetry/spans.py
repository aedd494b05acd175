"""Requests as OpenTelemetry's spans. Imported only where traces are wanted: it is an extra."""

import threading
import time
from collections.abc import Mapping

from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bicross import __version__
from bicross.server.telemetry.stages import Answered

# For the last spans to leave; a process has 20 s in all to end.
FLUSH_S = 2.0
NS = 1_000_000_000
PARENT = (b"traceparent", b"tracestate")


class Tracing:
    """A span for each request and for each of its stages, given to `processor`.

    They are written when the request has ended, with the instants that were noted on its way. The
    parent is the span of the request's `traceparent`; what is sampled is the SDK's choice, told by
    `OTEL_TRACES_SAMPLER`.
    """

    def __init__(self, processor: SpanProcessor, environ: Mapping[str, str]) -> None:
        given = environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        named = environ.get("OTEL_SERVICE_NAME") or f"{SERVICE_NAME}=" in given
        name = {} if named else {SERVICE_NAME: "bicross"}
        resource = Resource.create({**name, SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("bicross.server", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def record(self, answered: Answered, headers: Mapping[bytes, bytes]) -> str:
        """The trace's id, 32 hex digits."""
        stages = answered.stages
        # From the monotonic clock, by which stages are timed, to the calendar's.
        offset = time.time_ns() - int(stages.clock() * NS)
        carrier = {
            name.decode(): headers[name].decode("latin-1") for name in PARENT if name in headers
        }
        span = self._tracer.start_span(
            f"{answered.method} {answered.route}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            start_time=offset + int(stages.began * NS),
            attributes=_attributes(answered),
        )
        inside = set_span_in_context(span)
        for stage in stages.passed:
            begin, end = (offset + int(instant * NS) for instant in (stage.began, stage.ended))
            self._tracer.start_span(stage.name, context=inside, start_time=begin).end(end)
        if answered.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(offset + int(stages.ended * NS))
        return f"{span.get_span_context().trace_id:032x}"

    def close(self) -> None:
        """Sends what is left, for `FLUSH_S` at most; a collector that is away is not waited for."""
        flush = threading.Thread(target=self._provider.shutdown, name="bicross-flush", daemon=True)
        flush.start()
        flush.join(FLUSH_S)


def _attributes(answered: Answered) -> dict[str, str | int]:
    """Under the names of OpenTelemetry's conventions for HTTP servers, and under ours."""
    stages = answered.stages
    found: dict[str, str | int] = {
        "http.request.method": answered.method,
        "http.route": answered.route,
        "http.response.status_code": answered.status,
    }
    if stages.code:
        found["error.type"] = stages.code
    if stages.model:
        found |= {
            "bicross.model": stages.model,
            "bicross.lane": stages.lane,
            "bicross.texts": stages.texts,
            "bicross.tokens": stages.tokens,
        }
    return found
