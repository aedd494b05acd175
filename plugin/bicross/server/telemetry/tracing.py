"""Whether traces are wanted, told by OpenTelemetry's own variables, and which one a request is in.

opentelemetry is an extra, imported only where it is asked for; a server without traces does nothing
for them.
"""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bicross.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from bicross.server.telemetry.spans import Tracing

# https://www.w3.org/TR/trace-context/#traceparent-header
TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
NO_TRACE = "0" * 32
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
MAX_SHOWN = 40


def trace_id(headers: Mapping[bytes, bytes]) -> str | None:
    """Of the trace that a request says it belongs to: 32 hex digits."""
    found = TRACEPARENT.fullmatch(headers.get(b"traceparent", b"").decode("latin-1"))
    return found["trace"] if found and found["trace"] != NO_TRACE else None


def is_configured(environ: Mapping[str, str]) -> bool:
    """Whether an exporter is named, or where to send traces.

    Raises `UsageError` for an exporter or a protocol that is not offered.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    _require(exporter, "OTEL_TRACES_EXPORTER", ("otlp", "none"))
    if exporter == "none" or not (exporter or any(environ.get(name) for name in ENDPOINTS)):
        return False
    for name in PROTOCOLS:
        _require(environ.get(name, "").strip(), name, (PROTOCOL,))
    return True


def open_tracing(environ: Mapping[str, str] = os.environ) -> "Tracing | None":
    """Sends traces in batches from a thread of its own; None where nobody asked for them.

    Raises as `is_configured` does, and `EnvironmentProblem` where the extra is not installed.
    """
    if not is_configured(environ):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from bicross.server.telemetry.spans import Tracing  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentProblem(
            f"the OTEL_ variables ask for traces, and {error.name} is not installed: "
            "install bicross[tracing], or set OTEL_SDK_DISABLED=true"
        ) from None
    return Tracing(BatchSpanProcessor(OTLPSpanExporter()), environ)


def _require(value: str, name: str, allowed: tuple[str, ...]) -> None:
    if value and value not in allowed:
        raise UsageError(f"{name} is {value[:MAX_SHOWN]!r}; allowed: {', '.join(allowed)}")
