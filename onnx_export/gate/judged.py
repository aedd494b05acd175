"""Which of a judged collection's queries and documents a graph is asked to rank.

A bi-encoder searches the collection, a model that is run per pair or per token ranks a pool for
each query: documents judged for it and others drawn at random, the same ones in every run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bicross.bundle.record import Task
from bicross.cluster.documents import Document, open_lines
from bicross.evaluate.dataset import Collection, Qrels, corpus_line, load_collection

SEED = 1
# Enough for an interval of about 0.01, few enough for minutes on two cores.
MAX_QUERIES = 300
MAX_PASSAGES = 10_000
POOLED_QUERIES = 50
POOL = 50
# Of a pool, so that others stand against them.
MAX_JUDGED = 30


@dataclass(frozen=True)
class Judged:
    """`candidates` are the ids of the documents that each query ranks."""

    name: str
    queries: dict[str, str]
    passages: dict[str, str]
    candidates: dict[str, tuple[str, ...]]
    qrels: Qrels
    searched: str

    def __str__(self) -> str:
        return f"{self.name}: {len(self.queries)} queries, {self.searched}"


def read_judged(folder: Path, task: Task) -> Judged:
    """Raises as `load_collection`."""
    collection = load_collection(folder)
    ids = _document_ids(collection)
    if task == "text_embedding":
        return _searched(collection.sampled(MAX_QUERIES), ids)
    return _pooled(collection.sampled(POOLED_QUERIES), ids)


def _searched(collection: Collection, ids: list[str]) -> Judged:
    """All documents, of a large collection the judged ones and others up to the limit."""
    judged = {document for grades in collection.qrels.values() for document in grades}
    others = [document for document in ids if document not in judged]
    room = max(0, MAX_PASSAGES - len(judged))
    chosen = judged | set(_draw(others, min(room, len(others))))
    ranked = tuple(document for document in ids if document in chosen)
    told = f"exact search among {len(ranked)} of {collection.documents} documents"
    return Judged(
        collection.name,
        collection.queries,
        _texts(collection, chosen),
        dict.fromkeys(collection.queries, ranked),
        collection.qrels,
        told,
    )


def _pooled(collection: Collection, ids: list[str]) -> Judged:
    """A judged document is drawn before the others, a relevant one before all."""
    random = Random(SEED)  # noqa: S311  a sample, not a secret
    candidates, qrels = {}, {}
    for query, grades in collection.qrels.items():
        shuffled = random.sample(sorted(grades), len(grades))
        judged = sorted(shuffled, key=lambda document: -grades[document])[:MAX_JUDGED]
        drawn = random.sample(ids, min(2 * POOL, len(ids)))
        others = [document for document in drawn if document not in grades]
        candidates[query] = tuple(sorted([*judged, *others[: POOL - len(judged)]]))
        qrels[query] = {document: grades[document] for document in judged}
    chosen = {document for pool in candidates.values() for document in pool}
    return Judged(
        collection.name,
        collection.queries,
        _texts(collection, chosen),
        candidates,
        qrels,
        f"each ranking {POOL} judged and random documents at most",
    )


def _draw(ids: list[str], count: int) -> list[str]:
    return Random(SEED).sample(ids, count)  # noqa: S311  a sample, not a secret


def _document_ids(collection: Collection) -> list[str]:
    return [document.id for document in _documents(collection)]


def _texts(collection: Collection, chosen: set[str]) -> dict[str, str]:
    return {
        document.id: document.source["passage"]
        for document in _documents(collection)
        if document.id in chosen
    }


def _documents(collection: Collection) -> Iterator[Document]:
    with open_lines(collection.corpus) as stream:
        for number, raw in enumerate(stream, 1):
            if raw.strip() and isinstance(line := corpus_line(number, raw), Document):
                yield line
