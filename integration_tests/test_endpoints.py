"""Two servers behind one endpoint: both work, and one alone is enough."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rest import Rest
from server_process import KEY, ServerProcess
from test_node import fill, own_spec
from test_rerank import rerank
from wire import Wire

from bicross.local.node import LocalNode
from bicross.local.ports import free_port

SEARCHES = 20
BODY = {"retriever": rerank(), "size": 5}


@pytest.fixture
def spare(server: ServerProcess, tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(server.bundles, free_port(), tmp_path / "spare.log", key=KEY)
    yield process.start()
    process.stop()


def test_searches_are_shared_and_go_on_when_one_server_is_gone(
    es_version: str, server: ServerProcess, spare: ServerProcess, wire: Wire, tmp_path: Path
) -> None:
    spec = own_spec(es_version, tmp_path / "home", wire, endpoints=(wire.url, spare.url))
    with LocalNode(spec) as node, Rest(node.url) as rest:
        fill(rest)
        before = server.requests("/v1/rerank")
        for _ in range(SEARCHES):
            assert len(rest.hits("animals", BODY)) == 5
        shares = (server.requests("/v1/rerank") - before, spare.requests("/v1/rerank"))
        assert min(shares) > 0
        assert sum(shares) == SEARCHES
        spare.kill()
        for _ in range(SEARCHES):
            assert len(rest.hits("animals", BODY)) == 5
