"""Through the cluster as by sentence-transformers itself: vectors, scores and order.

1,000 documents and 50 queries of each of two collections, with real float weights.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_models import RealCluster
from rest import Rest
from server_process import NEWEST_ES

from bicross.runtime.scores import hit_score

DOCUMENTS = 1000
QUERIES = 50
WINDOW = 10
MOST_TRIES = 5
BULK = 100
VECTOR_ERROR = 1e-5
SCORE_ERROR = 1e-4


@dataclass(frozen=True)
class Collection:
    index: str
    documents: dict[str, str]
    queries: list[str]


@pytest.fixture(scope="module", params=["cranfield", "nfcorpus"])
def collection(
    request: pytest.FixtureRequest, shared: Path, real: RealCluster, es_version: str
) -> Iterator[Collection]:
    if es_version != NEWEST_ES:
        pytest.skip("numbers do not depend on Elasticsearch's version: compared on the newest")
    folder = shared / "data" / request.param
    documents = {
        row["_id"]: f"{row['title']}. {row['text']}"
        for row in read_jsonl(folder, "corpus")
        if row["text"].strip()
    }
    chosen = dict(list(documents.items())[:DOCUMENTS])
    queries = [row["text"] for row in read_jsonl(folder, "queries")][:QUERIES]
    assert (len(chosen), len(queries)) == (DOCUMENTS, QUERIES)
    index = f"exact-{request.param}"
    fill(real.rest, index, chosen)
    yield Collection(index, chosen, queries)
    real.rest.ok("DELETE", f"/{index}")


@pytest.mark.torch
def test_the_index_holds_sentence_transformers_vectors(
    real: RealCluster, collection: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(str(real.bi_encoder.reference), device="cpu")
    reference = model.encode(list(collection.documents.values()), batch_size=16)
    body = {"query": {"match_all": {}}, "size": DOCUMENTS, "fields": ["vector"], "_source": False}
    stored = {hit["_id"]: hit["fields"]["vector"] for hit in real.rest.hits(collection.index, body)}
    ours = np.array([stored[document] for document in collection.documents], np.float32)
    error = float(np.abs(ours - reference).max())
    with capsys.disabled():
        print(f"\n{collection.index}: {ours.shape} vectors, largest error {error:.2e}")  # noqa: T201
    assert error <= VECTOR_ERROR


@pytest.mark.torch
def test_the_hits_are_those_of_cross_encoder_rank(
    real: RealCluster, collection: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    from sentence_transformers import CrossEncoder  # noqa: PLC0415

    model = CrossEncoder(str(real.cross_encoder.reference), device="cpu")
    worst = 0.0
    for query in collection.queries:
        window = real.rest.hits(collection.index, {"retriever": first_pass(query), "size": WINDOW})
        texts = [collection.documents[hit["_id"]] for hit in window]
        ranked = model.rank(query, texts, batch_size=WINDOW)
        body = {"retriever": reranked(query), "size": WINDOW}
        hits = real.rest.hits(collection.index, body)
        expected = [float(hit_score(float(rank["score"]))) for rank in ranked]
        scores = [hit["_score"] for hit in hits]
        worst = max(worst, *(abs(a - b) for a, b in zip(scores, expected, strict=True)))
        order = [window[int(rank["corpus_id"])]["_id"] for rank in ranked]
        assert_same_order([hit["_id"] for hit in hits], order, expected)
    with capsys.disabled():
        print(f"\n{collection.index}: {QUERIES} windows, largest score error {worst:.2e}")  # noqa: T201
    assert worst <= SCORE_ERROR


def assert_same_order(ours: list[str], reference: list[str], scores: list[float]) -> None:
    """The same order, but that hits closer than the allowed error may change places."""
    for at, (mine, theirs) in enumerate(zip(ours, reference, strict=True)):
        if mine != theirs:
            elsewhere = reference.index(mine)
            assert abs(scores[at] - scores[elsewhere]) <= 2 * SCORE_ERROR, (mine, theirs)


def first_pass(query: str) -> dict[str, Any]:
    builder = {"bicross": {"model_id": "all-MiniLM-L6-v2", "model_text": query}}
    return {
        "knn": {
            "field": "vector",
            "k": WINDOW,
            "num_candidates": 100,
            "query_vector_builder": builder,
        }
    }


def reranked(query: str) -> dict[str, Any]:
    return {
        "bicross_rerank": {
            "retriever": first_pass(query),
            "field": "text",
            "model_id": "ms-marco-MiniLM-L12-v2",
            "model_text": query,
            "rank_window_size": WINDOW,
        }
    }


def fill(rest: Rest, index: str, documents: dict[str, str]) -> None:
    embed = {
        "model_id": "all-MiniLM-L6-v2",
        "input_output": [{"input_field": "text", "output_field": "vector"}],
    }
    rest.ok("PUT", "/_ingest/pipeline/exact", {"processors": [{"bicross_embed": embed}]})
    rest.call("DELETE", f"/{index}")
    mappings = {
        "text": {"type": "text"},
        # Exact neighbours: what is compared here is numbers, not a graph's recall.
        "vector": {
            "type": "dense_vector",
            "dims": 384,
            "similarity": "cosine",
            "index_options": {"type": "flat"},
        },
    }
    settings = {"number_of_shards": 2, "number_of_replicas": 0, "default_pipeline": "exact"}
    rest.ok("PUT", f"/{index}", {"settings": settings, "mappings": {"properties": mappings}})
    rows = [(document_id, {"text": text}) for document_id, text in documents.items()]
    for start in range(0, len(rows), BULK):
        send(rest, index, rows[start : start + BULK])


def send(rest: Rest, index: str, rows: list[tuple[str, dict[str, str]]]) -> None:
    """As the official bulk helpers do: what a busy machine answers with 429 is sent again."""
    for _ in range(MOST_TRIES):
        outcomes = rest.bulk(index, rows)
        statuses = [outcome["status"] for outcome in outcomes]
        assert set(statuses) <= {201, 429}
        rows = [row for row, status in zip(rows, statuses, strict=True) if status == 429]
        if not rows:
            return
    raise AssertionError(f"{len(rows)} documents were refused {MOST_TRIES} times")


def read_jsonl(folder: Path, name: str) -> list[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.gz"
    if packed.is_file():
        text = gzip.decompress(packed.read_bytes()).decode()
    else:
        text = (folder / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
