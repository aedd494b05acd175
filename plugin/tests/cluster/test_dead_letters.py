"""The dead-letter file holds one refusal for each line that is failed, and no other."""

import json
from pathlib import Path

from bicross.cluster.dead_letters import DeadLetters, Refusal


def refusal(line: int, reason: str = "bad") -> Refusal:
    return Refusal(line, f"d{line}", 400, reason, {"text": "t"})


def kept(path: Path) -> list[tuple[int, str]]:
    records = [json.loads(text) for text in path.read_text().splitlines()]
    return [(record["line"], record["reason"]) for record in records]


def test_a_letter_has_id_status_reason_and_document(tmp_path: Path) -> None:
    path = tmp_path / "failed.jsonl"
    DeadLetters(path).append([refusal(3)])
    assert json.loads(path.read_text()) == {
        "line": 3,
        "id": "d3",
        "status": 400,
        "reason": "bad",
        "document": {"text": "t"},
    }


def test_only_the_last_letter_of_each_failed_line_is_kept(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "failed.jsonl")
    letters.append([refusal(9), refusal(3, "first"), refusal(5), refusal(3, "second")])
    letters.keep({3, 9})
    assert kept(letters.path) == [(3, "second"), (9, "bad")]


def test_a_file_without_letters_is_removed(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "failed.jsonl")
    letters.append([refusal(3)])
    letters.keep(set())
    assert not letters.path.exists()


def test_a_letter_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "failed.jsonl")
    letters.append([refusal(3), refusal(4)])
    letters.path.write_text(letters.path.read_text()[:-20])
    letters.keep({3, 4})
    assert kept(letters.path) == [(3, "bad")]


def test_no_letters_make_no_file(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "failed.jsonl")
    letters.append([])
    letters.keep({1})
    assert not letters.path.exists()
