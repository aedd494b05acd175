"""A collection is read whole or refused with the line at fault."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bicross.cluster.documents import Document
from bicross.errors import DocumentsFailed, UsageError
from bicross.evaluate.dataset import corpus_line, load_collection

DOCUMENTS = [{"_id": "d1", "title": "wing", "text": "lift"}, {"_id": "d2", "text": "drag"}]
QUERIES = [{"_id": "q1", "text": "what is lift"}, {"_id": "q2", "text": "what is drag"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n"


def json_lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def write(
    folder: Path,
    corpus: str = json_lines(DOCUMENTS),
    queries: str = json_lines(QUERIES),
    qrels: str = QRELS,
) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_a_collection_has_documents_queries_and_grades(tmp_path: Path) -> None:
    collection = load_collection(write(tmp_path))
    assert (collection.name, collection.documents) == (tmp_path.name, 2)
    assert collection.queries == {"q1": "what is lift", "q2": "what is drag"}
    assert collection.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1}}


def test_a_compressed_corpus_is_read_as_well(tmp_path: Path) -> None:
    folder = write(tmp_path)
    plain = folder / "corpus.jsonl"
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    assert load_collection(folder).documents == 2


def test_queries_without_a_positive_judgement_are_left_out_and_counted(tmp_path: Path) -> None:
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t0\n"
    extra = json_lines([*QUERIES, {"_id": "q3", "text": "unjudged"}])
    collection = load_collection(write(tmp_path, queries=extra, qrels=qrels))
    assert list(collection.queries) == list(collection.qrels) == ["q1"]
    assert collection.unjudged == 2


def test_the_models_read_title_and_text_joined_by_a_space() -> None:
    line = corpus_line(1, json.dumps(DOCUMENTS[0]).encode())
    assert isinstance(line, Document)
    assert line.source == {"title": "wing", "text": "lift", "passage": "wing lift"}
    bare = corpus_line(2, json.dumps(DOCUMENTS[1]).encode())
    assert isinstance(bare, Document)
    assert bare.source["passage"] == "drag"


@pytest.mark.parametrize(
    ("part", "content", "fault"),
    [
        ("corpus", json_lines([*DOCUMENTS, DOCUMENTS[0]]), "line 3: the id d1 stands twice"),
        ("corpus", json_lines(DOCUMENTS) + "{broken\n", "line 3 is not a document"),
        ("corpus", '{"_id": "d1", "title": "no text"}\n', "line 1 is not a document"),
        ("corpus", "[]\n", "line 1 is not a document"),
        ("queries", json_lines([*QUERIES, QUERIES[1]]), "line 3: the id q2 stands twice"),
        ("queries", "nonsense\n", "line 1 is not JSON"),
        ("queries", '{"_id": "q1", "text": "  "}\n', "line 1: a query needs _id and a text"),
        ("queries", "[1]\n", "line 1 is not a JSON object"),
        ("qrels", QRELS + "q1\td1\t1\n", "line 5: q1 and d1 are judged twice"),
        ("qrels", QRELS + "q1 d1 1\n", "line 5: found 1 columns"),
        ("qrels", QRELS + "q1\td1\tone\n", "line 5"),
        ("qrels", "query-id\tcorpus-id\tscore\n", "holds no judgement"),
        ("qrels", "q1\td1\t0\n", "no query has a positive judgement"),
    ],
)
def test_a_malformed_or_repeated_line_is_refused_with_its_place(
    tmp_path: Path, part: str, content: str, fault: str
) -> None:
    with pytest.raises(UsageError, match=fault):
        load_collection(write(tmp_path, **{part: content}))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("q1\tabsent\t1", "1 name no document of the collection .as 'q1 absent'"),
        ("absent\td1\t1", "1 name no query"),
    ],
)
def test_a_judgement_without_its_counterpart_stops_with_exit_status_1(
    tmp_path: Path, line: str, fault: str
) -> None:
    with pytest.raises(DocumentsFailed, match=fault) as refused:
        load_collection(write(tmp_path, qrels=f"{QRELS}{line}\n"))
    assert refused.value.exit_status == 1


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path)
    (folder / name).unlink()
    with pytest.raises(UsageError, match=name):
        load_collection(folder)


def test_a_sample_of_queries_is_the_same_each_time_and_keeps_their_judgements(
    tmp_path: Path,
) -> None:
    queries = json_lines([{"_id": f"q{n}", "text": "t"} for n in range(20)])
    qrels = "".join(f"q{n}\td1\t1\n" for n in range(20))
    collection = load_collection(write(tmp_path, queries=queries, qrels=qrels))
    once, again = collection.sampled(5), collection.sampled(5)
    assert list(once.queries) == list(again.queries)
    assert once.queries.keys() == once.qrels.keys()
    assert len(once.queries) == 5
    assert collection.sampled(None) is collection.sampled(50) is collection
