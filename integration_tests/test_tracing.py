"""A search's trace goes on in the server: through a real node, seen by a collector on a socket."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest
from animals import animal_documents, index_body
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from rest import Rest
from server_process import ServerProcess
from test_rerank import dense, rerank

from bicross.local.node import LocalNode
from bicross.local.ports import free_port
from bicross.local.spec import NodeSpec

TINY = Path(__file__).parents[1] / "plugin" / "tests" / "bundles"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
WAIT_S = 30


class Collector:
    """Takes traces by OTLP over HTTP; `next_requests` are the spans of requests, as they come."""

    def __init__(self) -> None:
        requests = self._requests = Queue[Span]()

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        for span in scope.spans:
                            if span.kind == Span.SPAN_KIND_SERVER:
                                requests.put(span)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def next_requests(self, lane: str, *routes: str) -> list[Span]:
        """The next spans of `lane`, one for each of `routes`, in the order in which they ended."""
        found: list[Span] = []
        while len(found) < len(routes):
            span = self._requests.get(timeout=WAIT_S)
            if attributes(span).get("bicross.lane") == lane:
                found.append(span)
        assert [span.name for span in found] == [f"POST {route}" for route in routes]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True)
class Traced:
    """A node with an index of animals, whose server sends its traces to `collector`."""

    rest: Rest
    collector: Collector


@pytest.fixture(scope="module")
def traced(es_version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    collector = Collector()
    server = ServerProcess([TINY / "tiny-bi", TINY / "tiny-cross"], free_port(), folder / "log")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        server.start()
    spec = NodeSpec(
        version=es_version, home=folder / "es", port=free_port(), endpoints=(server.url,)
    )
    try:
        with LocalNode(spec) as node, Rest(node.url) as rest:
            embed = {
                "model_id": "tiny-bi",
                "input_output": [{"input_field": "text", "output_field": "vector"}],
            }
            rest.ok("PUT", "/_ingest/pipeline/embed", {"processors": [{"bicross_embed": embed}]})
            rest.ok("PUT", "/animals", index_body("embed"))
            rest.http.headers["traceparent"] = TRACEPARENT
            rest.http.headers["tracestate"] = "vendor=value"
            yield Traced(rest, collector)
    finally:
        server.stop()
        collector.close()


def attributes(span: Span) -> dict[str, object]:
    return {each.key: each.value.int_value or each.value.string_value for each in span.attributes}


def test_ingest_holds_many_requests_texts_and_begins_a_trace_of_its_own(traced: Traced) -> None:
    outcomes = traced.rest.bulk("animals", animal_documents(40))
    assert {outcome["status"] for outcome in outcomes} == {201}
    (span,) = traced.collector.next_requests("ingest", "/v1/embeddings")
    assert span.parent_span_id == b""
    assert span.trace_id.hex() != TRACE


def test_embedding_and_reranking_of_a_search_are_children_of_its_caller_s_span(
    traced: Traced,
) -> None:
    hits = traced.rest.hits("animals", {"retriever": rerank(dense(20)), "size": 20})
    assert len(hits) == 20
    query, pairs = traced.collector.next_requests("search", "/v1/embeddings", "/v1/rerank")
    for span in (query, pairs):
        assert span.trace_id.hex() == TRACE
        assert span.parent_span_id.hex() == SPAN
        assert span.trace_state == "vendor=value"
    assert attributes(query)["bicross.texts"] == 1
    assert attributes(pairs)["bicross.texts"] == 20


def test_search_outside_a_trace_begins_one(traced: Traced) -> None:
    headers = traced.rest.http.headers
    given = {name: headers.pop(name) for name in ("traceparent", "tracestate")}
    try:
        traced.rest.hits("animals", {"retriever": rerank(), "size": 20})
        (span,) = traced.collector.next_requests("search", "/v1/rerank")
    finally:
        headers.update(given)
    assert span.parent_span_id == b""
    assert span.trace_id.hex() != TRACE


def test_malformed_trace_costs_no_search(traced: Traced) -> None:
    headers = traced.rest.http.headers
    given = headers["traceparent"]
    # As long as a true one, from which on Elasticsearch keeps it.
    headers["traceparent"] = "x" * 55
    try:
        hits = traced.rest.hits("animals", {"retriever": rerank(), "size": 20})
        (span,) = traced.collector.next_requests("search", "/v1/rerank")
    finally:
        headers["traceparent"] = given
    assert hits
    assert span.parent_span_id == b""
