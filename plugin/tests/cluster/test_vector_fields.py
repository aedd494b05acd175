"""Vectors in fewer bits, as docs/server.md says that Elasticsearch's fields take them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from elasticsearch import BadRequestError

from bicross.bundle.heads import Embedding
from bicross.cluster.config import ClusterTable
from bicross.cluster.connection import Cluster, connect
from bicross.runtime.quantized_vectors import OutputDtype, convert

pytestmark = pytest.mark.elasticsearch

DIMENSIONS, PASSAGES = 64, 40
HEAD = Embedding(
    dimensions=DIMENSIONS, similarity="cosine", pooling="mean", normalize=True, int8_scale=0.4
)
INDEX = "vectors"
FIELDS = {
    "bytes": {"element_type": "byte", "similarity": "cosine", "index_options": {"type": "flat"}},
    "bits": {"element_type": "bit", "index_options": {"type": "flat"}},
    "plain_bits": {"element_type": "bit", "index_options": {"type": "flat"}},
}
STORED_AS: tuple[OutputDtype, ...] = ("int8", "binary", "ubinary")
Vectors = npt.NDArray[Any]


def unit_vectors(seed: int, count: int) -> npt.NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    lengths: npt.NDArray[np.float32] = np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn / lengths


QUERY, STORED = unit_vectors(1, 1), unit_vectors(2, PASSAGES)


def converted(dtype: OutputDtype) -> tuple[Vectors, Vectors]:
    return convert(QUERY, dtype, HEAD)[0], convert(STORED, dtype, HEAD)


@pytest.fixture
def filled(node: Any) -> Iterator[Cluster]:
    """An index with every passage in a byte field, and its bits in two ways."""
    whole, bits, plain = (converted(dtype)[1] for dtype in STORED_AS)
    properties = {
        name: {"type": "dense_vector", "dims": DIMENSIONS, **options}
        for name, options in FIELDS.items()
    }
    with connect(ClusterTable(url=node.url)) as cluster:
        cluster.client.indices.delete(index=INDEX, ignore_unavailable=True)
        cluster.client.indices.create(index=INDEX, mappings={"properties": properties})
        operations: list[dict[str, Any]] = []
        for row in range(PASSAGES):
            operations += [
                {"index": {"_id": str(row)}},
                {
                    "bytes": whole[row].tolist(),
                    "bits": bits[row].tolist(),
                    "plain_bits": plain[row].tobytes().hex(),
                },
            ]
        answer = cluster.client.bulk(index=INDEX, operations=operations, refresh=True)
        assert not answer["errors"], answer
        yield cluster


def scores(cluster: Cluster, field: str, query: object) -> npt.NDArray[np.float64]:
    """[passages], by their ids."""
    knn = {"field": field, "query_vector": query, "k": PASSAGES, "num_candidates": PASSAGES}
    answer = cluster.client.search(index=INDEX, knn=knn, size=PASSAGES, source=False)
    found = np.full(PASSAGES, np.nan)
    for hit in answer["hits"]["hits"]:
        found[int(hit["_id"])] = hit["_score"]
    return found


def test_int8_in_a_byte_field_is_scored_by_its_cosine(filled: Cluster) -> None:
    query, passages = (side.astype(np.float64) for side in converted("int8"))
    cosines = passages @ query / np.linalg.norm(passages, axis=1) / np.linalg.norm(query)
    assert scores(filled, "bytes", query.astype(int).tolist()) == pytest.approx(
        (1 + cosines) / 2, abs=1e-6
    )


@pytest.mark.parametrize("field", ["bits", "plain_bits"])
def test_bits_are_scored_by_how_many_differ_however_they_are_written(
    field: str, filled: Cluster
) -> None:
    query, passages = converted("ubinary")
    differing = np.bitwise_count(passages ^ query).sum(axis=1)
    written = converted("binary")[0].tolist() if field == "bits" else query.tobytes().hex()
    assert scores(filled, field, written) == pytest.approx(1 - differing / DIMENSIONS, abs=1e-6)


@pytest.mark.parametrize(("field", "dtype"), [("bytes", "uint8"), ("bits", "ubinary")])
def test_bytes_above_127_are_refused(field: str, dtype: OutputDtype, filled: Cluster) -> None:
    stored = converted(dtype)[1]
    above = stored[stored.max(axis=1) > 127][0]
    with pytest.raises(BadRequestError):
        filled.client.index(index=INDEX, document={field: above.tolist()})
