"""Two clusters for the tests: a tiny scripted HTTP server, and real nodes.

The first speaks as much of Elasticsearch as bulk writing needs. What it answers to each document is
scripted by the test; what it was sent is recorded.
"""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest

from bicross.cluster.config import ClusterTable
from bicross.cluster.connection import Cluster, Credentials, connect
from bicross.errors import EnvironmentProblem
from bicross.local.spec import NodeSpec

NO_CREDENTIALS = Credentials()


@dataclass
class ScriptedCluster:
    """`statuses[id]` are answered before 201, each once; `bulk_statuses` to whole bulks, likewise.

    `dies_after` bulks no answer comes any more: the connection is cut.
    """

    version: str = "9.5.3"
    product: str = "Elasticsearch"
    index_uuid: str = "uuid-1"
    statuses: dict[str, list[int]] = field(default_factory=dict)
    bulk_statuses: list[int] = field(default_factory=list)
    dies_after: int | None = None
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    bulks: list[list[str]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    routes: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    url: str = ""
    lock: Any = field(default_factory=Lock)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
        if path.startswith("/_bulk"):
            return self._bulk(body)
        if path in self.routes:
            return self.routes[path]
        if path == "/":
            return 200, {
                "cluster_name": "scripted",
                "cluster_uuid": "cluster-1",
                "version": {"number": self.version},
            }
        if path.endswith("/_settings/index.uuid"):
            return 200, {"docs-v1": {"settings": {"index": {"uuid": self.index_uuid}}}}
        if path.endswith("/_refresh"):
            return 200, {}
        return 400, {"error": f"no handler found for uri [{path}] and method [{method}]"}

    def _bulk(self, body: bytes) -> tuple[int, dict[str, Any]] | None:
        if self.dies_after is not None and len(self.bulks) >= self.dies_after:
            return None
        lines = [json.loads(line) for line in body.splitlines()]
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        self.bulks.append([action["index"]["_id"] for action, _ in pairs])
        if self.bulk_statuses and (status := self.bulk_statuses.pop(0)) != 200:
            return status, {"error": {"type": "scripted", "reason": f"bulk {status}"}}
        items = [self._item(action["index"]["_id"], source) for action, source in pairs]
        return 200, {"took": 1, "errors": True, "items": items}

    def _item(self, document_id: str, source: dict[str, Any]) -> dict[str, Any]:
        if self.statuses.get(document_id):
            status = self.statuses[document_id].pop(0)
            error = {"type": "scripted_exception", "reason": f"status {status}"}
            return {"index": {"_id": document_id, "status": status, "error": error}}
        result = "updated" if document_id in self.documents else "created"
        self.documents[document_id] = source
        return {"index": {"_id": document_id, "status": 201, "result": result}}


def handler(script: ScriptedCluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            with script.lock:
                headers = {key.lower(): value for key, value in self.headers.items()}
                script.requests.append((self.command, self.path, headers))
                answered = script.answer(self.command, self.path.partition("?")[0], body)
            if answered is None:
                self.close_connection = True
                return
            status, value = answered
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.send_header("x-elastic-product", script.product)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815 # http.server's names

        def log_message(self, *arguments: object) -> None:
            """Quiet: the requests are recorded."""

    return Handler


@pytest.fixture
def script() -> Iterator[ScriptedCluster]:
    scripted = ScriptedCluster()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(scripted))
    server.daemon_threads = True
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


Connect = Callable[[], Any]


@pytest.fixture
def cluster(script: ScriptedCluster) -> Iterator[Cluster]:
    with connect(ClusterTable(url=script.url), NO_CREDENTIALS) as connected:
        yield connected


@dataclass(frozen=True)
class RealNode:
    """A node of the version named, the plugin in it, its one endpoint without a server."""

    url: str
    version: str


@pytest.fixture(scope="session", params=["9.5.3", "9.2.0", "8.19.0"])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealNode]:
    version = str(request.param)
    nodes = pytest.importorskip("bicross.local.node", reason="needs the extra `local`")
    spec = NodeSpec(
        version=version,
        home=tmp_path_factory.mktemp("node"),
        port=free_port(),
        endpoints=(f"http://127.0.0.1:{free_port()}",),
    )
    try:
        started = nodes.LocalNode(spec).start()
    except EnvironmentProblem as problem:
        pytest.skip(f"no node of {version} here: {problem}")
    try:
        if not started.record.with_plugin:
            pytest.skip(f"the plugin of {version} is not built; run `make assets`")
        yield RealNode(started.url, version)
    finally:
        started.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
