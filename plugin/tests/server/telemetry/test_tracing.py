"""A request's trace: its stages under it, in the trace of who sent it, and no text."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from bicross.errors import EnvironmentProblem, UsageError
from bicross.server.app import create_app
from bicross.server.models.catalog import Catalog
from bicross.server.settings import Settings
from bicross.server.telemetry.spans import Tracing
from bicross.server.telemetry.tracing import is_configured, open_tracing, trace_id
from bicross.server.transport.door import Doors

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"


async def spans_of(
    catalog: Catalog, url: str, body: object, **headers: str
) -> tuple[httpx.Response, list[ReadableSpan]]:
    """The answer to one request, and what was recorded of it, in the order in which it ended."""
    exporter = InMemorySpanExporter()
    tracing = Tracing(SimpleSpanProcessor(exporter), {})
    app = create_app(catalog, Settings.read(threads=1), Doors(), tracing=tracing)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        await app.state.serving.loaded.wait()
        response = await client.post(url, json=body, headers=headers)
        found = list(exporter.get_finished_spans())
    return response, found


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_stages_lie_in_turn_under_the_request(
    loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    _, (*stages, request) = await spans_of(loaded_catalog, "/v1/rerank", rerank_body)
    assert [stage.name for stage in stages] == ["tokenize", "queue", "infer", "serialize"]
    assert request.name == "POST /v1/rerank"
    assert request.kind is SpanKind.SERVER
    assert request.parent is None
    ends = [request.start_time or 0]
    for stage in stages:
        assert stage.parent is not None
        assert stage.parent.span_id == request.context.span_id
        assert (stage.start_time or 0) >= ends[-1]
        assert (stage.end_time or 0) >= (stage.start_time or 0)
        ends.append(stage.end_time or 0)
    assert (request.end_time or 0) >= ends[-1]


async def test_request_says_what_it_was_in_names_and_numbers(
    loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    answer, (*_, request) = await spans_of(loaded_catalog, "/v1/rerank", rerank_body)
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/rerank",
        "http.response.status_code": 200,
        "bicross.model": loaded_catalog.find("tiny-cross", "rerank").label,
        "bicross.lane": "search",
        "bicross.texts": len(rerank_body["documents"]),
        "bicross.tokens": answer.json()["usage"]["total_tokens"],
    }
    assert dict(request.resource.attributes)["service.name"] == "bicross"


async def test_sender_s_span_is_the_parent(
    loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=value"}
    _, spans = await spans_of(loaded_catalog, "/v1/rerank", rerank_body, **headers)
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    request = spans[-1]
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == SPAN
    assert request.context.trace_state.get("vendor") == "value"


async def test_trace_that_its_sender_does_not_sample_is_not_recorded(
    loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    _, spans = await spans_of(loaded_catalog, "/v1/rerank", rerank_body, traceparent=UNSAMPLED)
    assert spans == []


@pytest.mark.parametrize("malformed", ["", "x", "00-0-0-0", f"{TRACEPARENT}x", "00-" + "0" * 49])
async def test_malformed_parent_costs_no_answer_and_begins_a_trace(
    malformed: str, loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    response, spans = await spans_of(
        loaded_catalog, "/v1/rerank", rerank_body, traceparent=malformed
    )
    assert response.status_code == 200
    assert spans[-1].parent is None


async def test_refused_request_has_its_code_and_the_stages_that_it_reached(
    loaded_catalog: Catalog, embeddings_body: dict[str, Any]
) -> None:
    body = {**embeddings_body, "input": ["the cat " * 600], "truncate": False}
    response, (tokenize, request) = await spans_of(loaded_catalog, "/v1/embeddings", body)
    assert response.status_code == 400
    assert tokenize.name == "tokenize"
    assert attributes(request)["error.type"] == "text_too_long"
    assert request.status.status_code is StatusCode.UNSET


async def test_failure_of_the_server_marks_the_span(
    unloaded_catalog: Catalog, embeddings_body: dict[str, Any]
) -> None:
    response, (*_, request) = await spans_of(unloaded_catalog, "/v1/embeddings", embeddings_body)
    assert response.status_code == 503
    assert request.status.status_code is StatusCode.ERROR
    assert attributes(request)["error.type"] == "not_ready"


@pytest.fixture
def unloaded_catalog(loaded_catalog: Catalog) -> Catalog:
    """A catalog whose first model fails at every load, as one does that missed its goldens."""
    bundle = loaded_catalog.models[0].bundle
    catalog = Catalog([bundle])

    class Failing(type(catalog.models[0])):  # type: ignore[misc]
        def load(self, threads: int | None) -> None:
            raise UsageError(str(threads))

    catalog.models = [Failing(bundle, "fp32")]
    return catalog


async def test_no_span_holds_a_text_a_path_or_a_method_of_the_client(
    loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    for url in ("/v1/rerank?query=canary", "/canary"):
        _, spans = await spans_of(
            loaded_catalog, url, {**rerank_body, "query": "canary"}, **{"user-agent": "canary"}
        )
        assert spans
        assert "canary" not in "".join(span.to_json() for span in spans)


@pytest.fixture
def collector() -> Iterator[tuple[str, Queue[ExportTraceServiceRequest]]]:
    """A collector on a socket: its URL, and what is sent to it."""
    received: Queue[ExportTraceServiceRequest] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            received.put(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


async def test_configured_server_sends_its_last_traces_before_it_ends(
    collector: tuple[str, Queue[ExportTraceServiceRequest]],
    loaded_catalog: Catalog,
    rerank_body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    tracing = open_tracing()
    app = create_app(loaded_catalog, Settings.read(threads=1), Doors(), tracing=tracing)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        await app.state.serving.loaded.wait()
        await client.post("/v1/rerank", json=rerank_body, headers={"traceparent": TRACEPARENT})
    (resource,) = received.get_nowait().resource_spans
    spans = [span for scope in resource.scope_spans for span in scope.spans]
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert [span.name for span in spans][-1] == "POST /v1/rerank"


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_traces_are_sent_only_where_they_are_asked_for(
    environ: dict[str, str], wanted: bool
) -> None:
    assert is_configured(environ) is wanted


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
    ],
)
def test_what_is_not_offered_keeps_the_server_from_starting(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=rf"{list(environ)[-1]} is .*; allowed"):
        open_tracing(environ)


def test_nobody_asked_for_traces_and_there_is_no_tracing() -> None:
    assert open_tracing({}) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (TRACEPARENT, TRACE),
        (UNSAMPLED, TRACE),
        (f"{TRACEPARENT}-later", TRACE),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (TRACEPARENT.upper(), None),
        ("", None),
    ],
)
def test_trace_id_is_read_without_opentelemetry(given: str, expected: str | None) -> None:
    assert trace_id({b"traceparent": given.encode()}) == expected


def test_traces_without_the_extra_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # None is how an import is refused.
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(EnvironmentProblem, match=r"install bicross\[tracing\]"):
        open_tracing(ENDPOINT)
