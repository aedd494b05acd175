"""A judged collection in BEIR's layout, refused where a mistake in it would become a wrong number.

FOLDER/corpus.jsonl[.gz]   {"_id", "title", "text"}
FOLDER/queries.jsonl[.gz]  {"_id", "text"}
FOLDER/qrels/test.tsv      query-id, corpus-id, score, with a header line
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bicross.cluster.documents import Document, Line, Malformed, open_lines
from bicross.errors import DocumentsFailed, UsageError

Qrels = dict[str, dict[str, int]]
SAMPLE_SEED = 1
QRELS_HEADER = ["query-id", "corpus-id", "score"]


@dataclass(frozen=True)
class Collection:
    """`queries` are those with a positive judgement; `unjudged` counts the others of the file."""

    name: str
    corpus: Path
    documents: int
    queries: dict[str, str]
    qrels: Qrels
    unjudged: int

    def sampled(self, count: int | None) -> "Collection":
        """At most `count` queries, drawn with a fixed seed, so that two runs ask the same."""
        if count is None or count >= len(self.queries):
            return self
        chosen = set(Random(SAMPLE_SEED).sample(sorted(self.queries), count))  # noqa: S311
        return Collection(
            self.name,
            self.corpus,
            self.documents,
            {key: text for key, text in self.queries.items() if key in chosen},
            {key: judged for key, judged in self.qrels.items() if key in chosen},
            self.unjudged,
        )


def load_collection(folder: Path) -> Collection:
    """Raises `UsageError` with file and line for what is malformed or stands twice.

    Raises `DocumentsFailed` where judgements name a document or query that is not there: their
    relevance could never be found, and every mean would be too low.
    """
    corpus = _file(folder, "corpus.jsonl")
    ids = _unique_ids(corpus)
    queries = _queries(_file(folder, "queries.jsonl"))
    qrels = read_qrels(folder / "qrels" / "test.tsv")
    _refuse_strangers(qrels, ids, queries.keys())
    judged = {key for key, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    if not judged:
        raise UsageError(
            f"{folder}: no query has a positive judgement; there is nothing to measure"
        )
    return Collection(
        name=folder.resolve().name,
        corpus=corpus,
        documents=len(ids),
        queries={key: text for key, text in queries.items() if key in judged},
        qrels={key: grades for key, grades in qrels.items() if key in judged},
        unjudged=len(queries.keys() - judged),
    )


def corpus_line(line: int, raw: bytes) -> Line:
    """`title`, `text`, and `passage`, which is both joined by a space: what the models read."""
    try:
        record = json.loads(raw)
        document_id, title, text = record["_id"], record.get("title") or "", record["text"]
        passage = f"{title} {text}".strip()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"line {line} is not a document with _id and text: {error!r}"
        return Malformed(line, reason, raw.decode("utf-8", "replace"), len(raw))
    source = {"title": title, "text": text, "passage": passage}
    return Document(line, str(document_id), source, len(raw))


def read_qrels(path: Path) -> Qrels:
    """Grades by query and document. A pair judged twice is refused, as is a line of other shape."""
    qrels: Qrels = {}
    for number, raw in _lines(path):
        columns = raw.decode("utf-8", "replace").strip("\r\n").split("\t")
        if number == 1 and columns == QRELS_HEADER:
            continue
        try:
            query, document, grade = columns
            judged = int(grade)
        except ValueError:
            raise UsageError(
                f"{path}, line {number}: found {len(columns)} columns {columns}; needed are query, "
                "document and a whole number, separated by tabs"
            ) from None
        if document in qrels.setdefault(query, {}):
            raise UsageError(f"{path}, line {number}: {query} and {document} are judged twice")
        qrels[query][document] = judged
    if not qrels:
        raise UsageError(f"{path} holds no judgement")
    return qrels


def _unique_ids(corpus: Path) -> set[str]:
    seen: set[str] = set()
    for number, raw in _lines(corpus):
        line = corpus_line(number, raw)
        if isinstance(line, Malformed):
            raise UsageError(f"{corpus}: {line.reason}")
        if line.id in seen:
            raise UsageError(f"{corpus}, line {number}: the id {line.id} stands twice")
        seen.add(line.id)
    return seen


def _queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, raw in _lines(path):
        record = _record(path, number, raw)
        key, text = record.get("_id"), record.get("text")
        if not isinstance(key, str | int) or not isinstance(text, str) or not text.strip():
            raise UsageError(f"{path}, line {number}: a query needs _id and a text")
        if str(key) in queries:
            raise UsageError(f"{path}, line {number}: the id {key} stands twice")
        queries[str(key)] = text
    return queries


def _record(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}, line {number} is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise UsageError(f"{path}, line {number} is not a JSON object")
    return record


def _refuse_strangers(qrels: Qrels, documents: set[str], queries: Any) -> None:  # noqa: ANN401
    strangers = Counter(
        "document" for grades in qrels.values() for document in grades if document not in documents
    )
    strangers.update("query" for query in qrels if query not in queries)
    if strangers:
        told = " and ".join(f"{count} name no {kind}" for kind, count in strangers.items())
        example = next(
            f"{query} {document}"
            for query, grades in qrels.items()
            for document in grades
            if document not in documents or query not in queries
        )
        raise DocumentsFailed(
            f"judgements without their counterpart: {told} of the collection (as {example!r}); "
            "no score is printed, since what is not there can never be found"
        )


def _file(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise UsageError(f"{folder} has no {name} and no {name}.gz; evaluate reads BEIR's layout")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with open_lines(path) as stream:
        for number, raw in enumerate(stream, start=1):
            if raw.strip():
                yield number, raw
