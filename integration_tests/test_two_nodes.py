"""Two nodes over the wire: what the plugin sends between them is read back the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rest import Rest
from server_process import NEWEST_ES
from test_node import fill, own_spec
from test_rerank import rerank
from test_search import knn
from wire import Wire

from bicross.local.node import LocalNode
from bicross.local.ports import free_port
from bicross.local.spec import cluster_of


@pytest.fixture
def pair(es_version: str, wire: Wire, tmp_path: Path) -> Iterator[tuple[LocalNode, LocalNode]]:
    if es_version != NEWEST_ES:
        pytest.skip("two nodes are tested on the newest version alone: two JVMs take the memory")
    specs = cluster_of(
        [
            own_spec(es_version, tmp_path / name, wire, name=name, transport_port=free_port())
            for name in ("one", "two")
        ]
    )
    first, second = (LocalNode(spec).start(wait=False) for spec in specs)
    try:
        first.wait_ready(nodes=2)
        second.wait_ready(nodes=2)
        yield first, second
    finally:
        second.stop()
        first.stop()


def test_shards_on_both_nodes_are_embedded_searched_and_reranked(
    pair: tuple[LocalNode, LocalNode],
) -> None:
    with Rest(pair[0].url) as first, Rest(pair[1].url) as second:
        require_the_same(first, second)


def require_the_same(first: Rest, second: Rest) -> None:
    fill(first)
    shards = first.ok("GET", "/_cat/shards/animals?format=json")
    assert {shard["node"] for shard in shards} == {"one", "two"}
    for body in ({"knn": knn()}, {"retriever": rerank(), "size": 20}):
        answers = [rest.hits("animals", body) for rest in (first, second)]
        assert answers[0] == answers[1]
        assert len(answers[0]) >= 10
    rows = second.ok("GET", "/_bicross")["nodes"].values()
    assert {row["name"] for row in rows} == {"one", "two"}
    assert all(row["endpoints"][0]["urls"][0]["answers"] for row in rows)
