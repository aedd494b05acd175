"""Token weights, as docs/server.md says that Elasticsearch's fields take them."""

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError

from bicross.cluster.config import ClusterTable
from bicross.cluster.connection import Cluster, connect
from bicross.runtime import SparseEncoder, SparseVector
from bicross.server.endpoints.sparse_embeddings import by_token

pytestmark = pytest.mark.elasticsearch

INDEX = "weights"
PASSAGES = (
    "the cat sat on the mat.",
    "stock prices fell in the market",
    "bread is made from water, salt and sugar",
    "a fish swims down the river",
)
QUERY = "where does the cat sit?"


def written(vector: SparseVector, encoder: SparseEncoder) -> dict[str, float]:
    return {token: float(weight) for token, weight in by_token(vector, encoder.names).items()}


def weighed(weights: dict[str, float]) -> dict[str, Any]:
    """The dot product as a query that every node has; `sparse_vector` comes to the same."""
    terms = [
        {"term": {"weights": {"value": token, "boost": weight}}}
        for token, weight in weights.items()
    ]
    return {"bool": {"should": terms}}


@pytest.fixture
def cluster(node: Any) -> Iterator[Cluster]:
    with connect(ClusterTable(url=node.url)) as cluster:
        cluster.client.indices.delete(index=INDEX, ignore_unavailable=True)
        mappings = {"properties": {"weights": {"type": "sparse_vector"}}}
        cluster.client.indices.create(index=INDEX, mappings=mappings)
        yield cluster


def test_scores_are_dot_products_of_the_weights_but_for_their_last_bits(
    cluster: Cluster, sparse_encoder: SparseEncoder
) -> None:
    assert "." in sparse_encoder.tokenizer.pieces.get_vocab()
    stored = sparse_encoder.encode(PASSAGES, "passage")
    for row, vector in enumerate(stored):
        document = {"weights": written(vector, sparse_encoder)}
        cluster.client.index(index=INDEX, id=str(row), document=document, refresh=True)
    (query,) = sparse_encoder.encode([QUERY], "query")
    answer = cluster.client.search(index=INDEX, query=weighed(written(query, sparse_encoder)))
    found = {int(hit["_id"]): hit["_score"] for hit in answer["hits"]["hits"]}
    for row, vector in enumerate(stored):
        # A field keeps a weight's sign, exponent and the first 8 bits of its fraction.
        assert found[row] == pytest.approx(query.dot(vector), rel=2**-8)


@pytest.mark.parametrize(
    "name", ["__", "#7", "[PAD]", "##s", "\u2581the", "\u0120the", "\n", "a b"]
)
def test_names_of_tokens_are_taken_and_found(name: str, cluster: Cluster) -> None:
    cluster.client.index(index=INDEX, document={"weights": {name: 1.0}}, refresh=True)
    answer = cluster.client.search(index=INDEX, query=weighed({name: 2.0}))
    assert answer["hits"]["hits"][0]["_score"] == 2


def test_text_without_weights_is_taken_and_never_found(cluster: Cluster) -> None:
    cluster.client.index(index=INDEX, document={"weights": {}}, refresh=True)
    answer = cluster.client.search(index=INDEX, query=weighed({"cat": 1.0}))
    assert answer["hits"]["hits"] == []


@pytest.mark.parametrize("weight", [0.0, 1e-39])
def test_weights_that_the_runtime_leaves_out_are_refused(weight: float, cluster: Cluster) -> None:
    with pytest.raises(BadRequestError, match="must be a positive normal float"):
        cluster.client.index(index=INDEX, document={"weights": {"cat": weight}})
