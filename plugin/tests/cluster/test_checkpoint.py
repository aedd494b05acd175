"""The journal: what was settled stays settled, whatever byte the kill came at."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.checkpoint import Checkpoint, binding, ranges
from bicross.cluster.documents import FileIdentity

BOUND = binding(FileIdentity("f" * 64, 10), "cluster-1", "index-1")


def settled(path: Path, bound: dict[str, object] = BOUND) -> tuple[set[int], set[int]]:
    with Checkpoint(path, bound) as journal:
        return journal.accepted, journal.failed


def test_settled_lines_are_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Checkpoint(path, BOUND) as journal:
        journal.settle([1, 2, 3, 7], failed=[2])
    assert settled(path) == ({1, 3, 7}, {2})


def test_a_failed_line_is_pending_and_an_accepted_one_is_not(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "journal", BOUND) as journal:
        journal.settle([1, 2], failed=[2])
        assert [journal.pending(line) for line in (1, 2, 3)] == [False, True, True]


def test_a_line_accepted_later_is_no_longer_failed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Checkpoint(path, BOUND) as journal:
        journal.settle([1, 2], failed=[2])
        journal.settle([2], failed=[])
    assert settled(path) == ({1, 2}, set())


@pytest.mark.parametrize(
    "other",
    [
        binding(FileIdentity("e" * 64, 10), "cluster-1", "index-1"),
        binding(FileIdentity("f" * 64, 10), "cluster-2", "index-1"),
        binding(FileIdentity("f" * 64, 10), "cluster-1", "index-2"),
    ],
    ids=["another file", "another cluster", "the index made anew"],
)
def test_a_journal_of_something_else_is_void(tmp_path: Path, other: dict[str, object]) -> None:
    path = tmp_path / "journal"
    with Checkpoint(path, BOUND) as journal:
        journal.settle([1], failed=[])
    assert settled(path, other) == (set(), set())


@given(data=st.data())
def test_a_kill_at_any_byte_loses_at_most_the_last_record_and_the_journal_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("killed") / "journal"
    with Checkpoint(path, BOUND) as journal:
        for chunk in ([1, 2], [3], [4, 5, 6]):
            journal.settle(chunk, failed=chunk[:1])
    raw = path.read_bytes()
    cut = data.draw(st.integers(0, len(raw)))
    whole_records = raw[:cut].count(b"\n") - 1
    path.write_bytes(raw[:cut])

    accepted = [set(), set(), {2}, {2}, {2, 5, 6}][max(whole_records, 0) + 1]
    with Checkpoint(path, BOUND) as journal:
        assert journal.accepted == accepted
        journal.settle([9], failed=[])
    assert settled(path)[0] == accepted | {9}


@given(lines=st.sets(st.integers(1, 50)))
def test_ranges_name_each_line_once(lines: set[int]) -> None:
    found = list(ranges(sorted(lines)))
    assert [line for first, last in found for line in range(first, last + 1)] == sorted(lines)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(found))
