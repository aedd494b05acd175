"""JSON lines become documents or refusals with their line; chunks hold each line once."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.documents import (
    Document,
    Malformed,
    identify,
    ids_of,
    json_line,
    read_chunks,
)
from bicross.errors import UsageError


def parse(raw: bytes, id_field: str = "_id") -> Document | Malformed:
    return json_line(id_field)(7, raw)


def test_a_line_becomes_a_document_without_its_metadata_id() -> None:
    line = parse(b'{"_id": "a", "title": "t", "tags": [1]}\n')
    assert isinstance(line, Document)
    assert (line.line, line.id, line.source) == (7, "a", {"title": "t", "tags": [1]})


def test_an_id_from_another_field_stays_in_the_document() -> None:
    line = parse(b'{"sku": 17, "text": "t"}', "sku")
    assert isinstance(line, Document)
    assert (line.id, line.source) == ("17", {"sku": 17, "text": "t"})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"_id": "a"', "line 7 is not JSON"),
        (b'{"_id": "\xff"}', "line 7 is not JSON in UTF-8"),
        (b'["a"]', "line 7 is not a JSON object"),
        (b'{"text": "t"}', "line 7 has no id in '_id'"),
        (b'{"_id": ""}', "line 7 has no id"),
        (b'{"_id": null}', "line 7 has no id"),
        (b'{"_id": true}', "line 7 has no id"),
        (b"[" * 100_000, "line 7 is not JSON"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(raw: bytes, reason: str) -> None:
    line = parse(raw)
    assert isinstance(line, Malformed)
    assert line.reason.startswith(reason)


@pytest.mark.parametrize("name", ["docs.jsonl", "docs.jsonl.gz", "compressed.jsonl"])
def test_plain_and_compressed_files_hold_the_same_lines(tmp_path: Path, name: str) -> None:
    raw = b'{"_id": "a"}\n\n{"_id": "b"}\n'
    path = tmp_path / name
    path.write_bytes(raw if name == "docs.jsonl" else gzip.compress(raw))
    chunks = list(read_chunks(path, json_line("_id"), lambda _: True, (10, 1 << 20)))
    assert [
        [(line.line, line.id) for line in chunk if isinstance(line, Document)] for chunk in chunks
    ] == [[(1, "a"), (3, "b")]]
    assert identify(path).lines == 2


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"_id": "a"}\n')
    before = identify(path)
    path.write_text('{"_id": "b"}\n')
    assert identify(path) != before


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl is not a file"):
        identify(tmp_path / "absent.jsonl")


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b'{"_id": "a"}\n' * 1000)[:40])
    with pytest.raises(UsageError, match="broken gzip"):
        identify(path)


@given(
    ids=st.lists(st.sampled_from("abcdef"), max_size=30),
    done=st.sets(st.integers(1, 30)),
    most=st.integers(1, 8),
    most_bytes=st.integers(1, 200),
)
def test_chunks_hold_each_pending_line_once_in_order_and_no_id_twice(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    done: set[int],
    most: int,
    most_bytes: int,
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "docs.jsonl"
    path.write_text("".join(json.dumps({"_id": each}) + "\n" for each in ids))
    chunks = list(
        read_chunks(path, json_line("_id"), lambda line: line not in done, (most, most_bytes))
    )
    seen = [line.line for chunk in chunks for line in chunk]
    assert seen == [line for line in range(1, len(ids) + 1) if line not in done]
    for chunk in chunks:
        assert 1 <= len(chunk) <= most
        assert len(ids_of(chunk)) == len(chunk)
        assert len(chunk) == 1 or sum(line.size_bytes for line in chunk) <= most_bytes
