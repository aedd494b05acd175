"""The demo's collection follows the rule in demo/README.md."""

import json
from pathlib import Path

import pytest

from demo.corpus import QUERIES, read_docstrings, write_collection

MODULE = '''
"""Tools for a test of the rule, which is long enough.

The body of the module's docstring has many more than the twelve words that a passage needs.
"""

def without_body():
    """A summary of twelve words or more becomes a passage as a whole, here it is."""

def short():
    """Too short."""

def repeats_its_summary():
    """Wait until the door is open

    Wait until the door is open: then go through it, close it behind you, and go on your way home.
    """

class Door:
    """Opens and closes whenever somebody asks for it.

    A door has two sides, and whoever stands on one of them sees nothing of the other one at all.
    """
'''


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "test").mkdir(parents=True)
    (folder / "doors.py").write_text(MODULE)
    (folder / "doors_again.py").write_text(MODULE)
    (folder / "test" / "left_out.py").write_text(MODULE)
    (folder / "broken.py").write_text("def (")
    return folder


def rows(file: Path) -> dict[str, str]:
    return {row["_id"]: row["text"] for row in map(json.loads, file.read_text().splitlines())}


def test_each_docstring_is_read_once_with_its_dotted_name(library: Path) -> None:
    names = [docstring.name for docstring in read_docstrings(library)]
    assert names == [
        "doors",
        "doors.without_body",
        "doors.short",
        "doors.repeats_its_summary",
        "doors.Door",
    ]


def test_a_passage_is_the_body_without_its_summary(library: Path, tmp_path: Path) -> None:
    write_collection(tmp_path, library)
    passages = rows(tmp_path / "corpus.jsonl")
    assert passages["doors.Door"].startswith("A door has two sides")
    assert passages["doors.without_body"].startswith("A summary of twelve words")
    assert "doors.short" not in passages


def test_a_query_stands_nowhere_in_its_passage(library: Path, tmp_path: Path) -> None:
    assert write_collection(tmp_path, library) == (4, 2)
    queries = rows(tmp_path / "queries.jsonl")
    assert queries.keys() == {"summary of doors", "summary of doors.Door"}
    judgements = (tmp_path / "qrels" / "test.tsv").read_text().splitlines()
    assert judgements[0] == "query-id\tcorpus-id\tscore"
    assert sorted(judgements[1:]) == [
        "summary of doors\tdoors\t1",
        "summary of doors.Door\tdoors.Door\t1",
    ]


def test_pythons_own_library_gives_thousands_of_passages(tmp_path: Path) -> None:
    passages, queries = write_collection(tmp_path)
    assert passages > 3000
    assert queries == QUERIES
    texts = rows(tmp_path / "corpus.jsonl")
    for query_id, text in rows(tmp_path / "queries.jsonl").items():
        assert text.lower() not in texts[query_id.removeprefix("summary of ")].lower()
