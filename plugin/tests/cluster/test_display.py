"""What people read: plans as diffs, documents never as markup."""

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from bicross.cluster.apply import Change
from bicross.cluster.display import diff_lines, print_counts, print_hits, print_plan, print_stages
from bicross.cluster.indexing import IndexReport
from bicross.cluster.stages import Hit, rank_changes


def printed(write: Callable[..., None], *arguments: Any, width: int = 200, **options: Any) -> str:
    stream = io.StringIO()
    write(Console(width=width, file=stream), *arguments, **options)
    return stream.getvalue()


def test_a_diff_shows_the_values_that_change_and_their_surroundings() -> None:
    change = Change("ingest pipeline", "p", {"a": 1, "b": 1}, {"a": 1, "b": 2}, {})
    lines = list(diff_lines(change))
    assert '-  "b": 1' in lines
    assert '+  "b": 2' in lines
    assert '   "a": 1,' in lines


def test_something_new_is_shown_whole() -> None:
    change = Change("index", "i", None, {"aliases": {}}, {})
    assert list(diff_lines(change)) == ["+{", '+  "aliases": {}', "+}"]


def test_a_plan_says_whether_it_was_carried_out() -> None:
    change = Change("index", "i", None, {}, {})
    assert "1 to change; `bicross deploy` makes it so" in printed(print_plan, [change], done=False)
    assert "1 changed." in printed(print_plan, [change], done=True)
    assert "Nothing to change" in printed(print_plan, [], done=False)


def test_counts_name_every_outcome() -> None:
    report = IndexReport(
        lines=10, resumed=3, created=4, updated=1, failed=2, retried=6, dead_letters=None
    )
    text = " ".join(printed(print_counts, report, 1).split())
    assert "10 documents in the file: 5 accepted now (4 created, 1 updated)" in text
    assert "3 accepted before, 2 failed; 6 sent again after 429" in text
    assert "1 documents of the index have no vector" in text


def test_a_document_is_printed_as_it_is_and_on_one_line() -> None:
    text = printed(print_hits, [Hit("[red]id", 1.5, {"t": "[bold]a[/bold]\n\tb"})], "t")
    assert "[red]id" in text
    assert "[bold]a[/bold] b" in text


def test_a_dotted_field_is_found_and_a_missing_one_is_empty() -> None:
    hits = [Hit("a", 1.0, {"body": {"text": "inside"}}), Hit("b", 1.0, {"body": 3})]
    assert "inside" in printed(print_hits, hits, "body.text")


def test_stages_show_rises_and_falls() -> None:
    changes = rank_changes([Hit("a", 2.0), Hit("b", 1.0)], [Hit("b", 9.0), Hit("a", 8.0)])
    rows = [line.split() for line in printed(print_stages, changes, "t").splitlines()[1:]]
    assert rows == [
        ["1", "2", "+1", "9.0000", "1.0000", "b"],
        ["2", "1", "-1", "8.0000", "2.0000", "a"],
    ]


def test_a_narrow_terminal_cuts_texts_and_never_figures() -> None:
    long = Hit("threading.Barrier.wait", 9.0, {"t": "wait for the barrier to be tripped " * 9})
    changes = rank_changes([Hit("other", 2.0), Hit(long.id, 1.0)], [long])
    row = printed(print_stages, changes, "t", width=80).splitlines()[1].split()
    assert row[:5] == ["1", "2", "+1", "9.0000", "1.0000"]
    assert row[5].startswith("threading.")
