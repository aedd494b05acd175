"""The server goes away, comes back, stalls and cuts connections; the node answers for itself."""

import threading
from typing import Any

import pytest
from animals import animal_documents
from elasticsearch import Elasticsearch, helpers
from rest import Rest
from server_process import ServerProcess
from test_rerank import rerank
from test_search import knn
from wire import Wire

from bicross.cluster.config import ClusterTable
from bicross.cluster.connection import connect

SEARCHES: dict[str, dict[str, Any]] = {
    "query vector": {"knn": knn()},
    "rerank": {"retriever": rerank(), "size": 5},
}
DOCUMENTS = 2000
pytestmark = pytest.mark.usefixtures("wire")


@pytest.fixture
def stopped_server(server: ServerProcess) -> Any:  # noqa: ANN401  a generator
    server.stop()
    yield
    server.start()


@pytest.mark.parametrize("body", SEARCHES.values(), ids=SEARCHES)
@pytest.mark.usefixtures("stopped_server")
def test_a_search_without_a_server_is_a_503_that_says_so(
    rest: Rest, animals: str, body: dict[str, Any]
) -> None:
    status, error = rest.error("POST", f"/{animals}/_search", body)
    assert status == 503
    assert "local" in error  # the endpoint's name
    assert "at org." not in error  # no stack trace
    assert rest.ok("GET", "/_cluster/health")["status"] in {"green", "yellow"}
    assert rest.hits(animals, {"query": {"match": {"text": "horse"}}})


@pytest.mark.usefixtures("stopped_server")
def test_documents_without_a_server_are_429_so_that_clients_send_them_again(
    rest: Rest, index: str
) -> None:
    outcomes = rest.bulk(index, animal_documents(20))
    assert {outcome["status"] for outcome in outcomes} == {429}
    assert rest.ok("GET", f"/{index}/_count")["count"] == 0


@pytest.mark.usefixtures("stopped_server")
def test_the_status_says_that_the_endpoint_does_not_answer(rest: Rest) -> None:
    answer = rest.ok("GET", "/_bicross")
    assert answer["_nodes"]["failed"] == 0
    (row,) = answer["nodes"].values()
    assert row["endpoints"][0]["urls"][0]["answers"] is False


def test_the_node_finds_the_server_again(rest: Rest, server: ServerProcess, animals: str) -> None:
    server.kill()
    rest.error("POST", f"/{animals}/_search", SEARCHES["rerank"])
    server.start()
    assert len(rest.hits(animals, SEARCHES["rerank"])) == 5


def test_a_stalled_server_is_a_504_at_the_deadline(rest: Rest, wire: Wire, animals: str) -> None:
    with wire.stalled():
        status, error = rest.error("POST", f"/{animals}/_search", SEARCHES["query vector"])
    assert status == 504
    assert "5" in error  # timeout.query of this node, in seconds
    assert rest.hits(animals, SEARCHES["query vector"])


def test_a_pooled_connection_that_the_server_gave_up_is_never_the_searchers_trouble(
    rest: Rest, wire: Wire, animals: str
) -> None:
    cut = 0
    for _ in range(50):
        assert rest.hits(animals, SEARCHES["rerank"])
        cut += wire.reset_all()
    assert cut >= 50


def test_no_document_is_lost_when_the_server_restarts_during_a_bulk(
    rest: Rest, server: ServerProcess, index: str
) -> None:
    half_way, restarted = threading.Event(), threading.Event()

    def documents() -> Any:  # noqa: ANN401
        for at, (document_id, source) in enumerate(animal_documents(DOCUMENTS)):
            if at == DOCUMENTS // 2:
                half_way.set()
                restarted.wait(60)
            yield {"_index": index, "_id": document_id, "_source": source}

    def restart() -> None:
        half_way.wait(60)
        server.kill()
        restarted.set()
        server.start()

    operator = threading.Thread(target=restart)
    operator.start()
    with connect(ClusterTable(url=str(rest.http.base_url))) as cluster:
        outcomes = dict(_stream(cluster.client, documents()))
    operator.join()
    assert len(outcomes) == DOCUMENTS
    rest.ok("POST", f"/{index}/_refresh")
    with_vector = {"query": {"exists": {"field": "vector"}}}
    indexed = sum(outcomes.values())
    assert rest.ok("GET", f"/{index}/_count")["count"] == indexed
    assert rest.ok("GET", f"/{index}/_count", with_vector)["count"] == indexed


def _stream(client: Elasticsearch, actions: Any) -> Any:  # noqa: ANN401
    stream = helpers.streaming_bulk(
        client,
        actions,
        chunk_size=100,
        max_retries=8,
        initial_backoff=0.2,
        max_backoff=3,
        raise_on_error=False,
    )
    for accepted, outcome in stream:
        yield outcome["index"]["_id"], accepted
