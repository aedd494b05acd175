"""What records nothing unless it is asked to, in processes of their own."""

import os
import subprocess
import sys


def printed(code: str, **environ: str) -> str:
    """What `code` prints in a process of its own."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_server_without_traces_imports_no_sdk_for_them() -> None:
    code = """
import sys, bicross.server.process
from bicross.server.telemetry.tracing import open_tracing
assert open_tracing({}) is None
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exp"))])
"""
    assert printed(code) == "[]"


REFUSED_REQUEST = """
import asyncio, httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from bicross.server.app import create_app
from bicross.server.models.catalog import Catalog
from bicross.server.transport.door import Doors
from bicross.server.settings import Settings

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

async def main():
    for docs in (True, False):
        app = create_app(Catalog([]), Settings.read(docs=docs), Doors())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app):
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                response = await client.post("/v1/rerank", json={"query": "canary"})
                assert response.status_code == 400, response.text

asyncio.run(main())
print([span.name for span in exporter.get_finished_spans()])
"""


def test_framework_s_own_traces_which_hold_what_errors_say_are_off() -> None:
    assert printed(REFUSED_REQUEST, FASTAPI_OTEL_AUTO_CONFIGURE="true") == "[]"
