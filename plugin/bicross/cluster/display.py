"""What the commands print for people: plans as diffs, counts, hits, the two stages side by side."""

import difflib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from bicross.cluster.apply import Change
from bicross.cluster.indexing import IndexReport, Progress
from bicross.cluster.stages import Hit, RankChange

MAX_TEXT = 500
_STYLES = {"+": "green", "-": "red"}


def print_plan(console: Console, changes: Sequence[Change], *, done: bool) -> None:
    if not changes:
        console.print("Nothing to change: the cluster is as bicross.toml says.")
        return
    for change in changes:
        console.print(Text(str(change), style="bold"))
        for line in diff_lines(change):
            console.print(Text(f"  {line}", style=_STYLES.get(line[:1], "dim")), soft_wrap=True)
    told = "changed" if done else "to change; `bicross deploy` makes it so"
    console.print(f"{len(changes)} {told}.")


def diff_lines(change: Change) -> Iterator[str]:
    """The managed part before and after, three lines of context around each difference."""
    before = [] if change.before is None else _json_lines(change.before)
    diff = difflib.unified_diff(before, _json_lines(change.after), lineterm="")
    yield from (line for line in diff if not line.startswith(("---", "+++", "@@")))


def change_record(change: Change) -> dict[str, Any]:
    return {
        "action": change.verb,
        "resource": change.resource,
        "name": change.name,
        "before": change.before,
        "after": change.after,
    }


@contextmanager
def shown_progress(title: str) -> Iterator[Progress]:
    """A bar on stderr, so that stdout holds the result alone."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_counts(console: Console, report: IndexReport, without_vector: int | None) -> None:
    console.print(
        f"{report.lines} documents in the file: {report.accepted} accepted now "
        f"({report.created} created, {report.updated} updated), {report.resumed} accepted before, "
        f"{report.failed} failed; {report.retried} sent again after 429."
    )
    if without_vector:
        console.print(
            f"{without_vector} documents of the index have no vector: their text is missing or "
            "empty, and the pipeline lets such documents through."
        )


def print_hits(console: Console, hits: Sequence[Hit], field: str) -> None:
    table = _hit_table(("rank", "score"), field)
    for rank, hit in enumerate(hits, start=1):
        table.add_row(str(rank), f"{hit.score:.4f}", Text(hit.id), _excerpt(hit, field))
    console.print(table)


def print_stages(console: Console, changes: Sequence[RankChange], field: str) -> None:
    table = _hit_table(("rank", "before", "change", "score", "first"), field)
    for change in changes:
        table.add_row(
            _rank(change.second_rank),
            _rank(change.first_rank),
            _rise(change.rise),
            f"{change.hit.score:.4f}" if change.second_rank else "-",
            f"{change.first_score:.4f}" if change.first_score is not None else "-",
            Text(change.hit.id),
            _excerpt(change.hit, field),
        )
    console.print(table)


def _hit_table(figures: Sequence[str], field: str) -> Table:
    """Columns of `figures` keep their width on any terminal; id and text share what is left."""
    table = Table(box=None, pad_edge=False, expand=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    table.add_column("id", ratio=2, no_wrap=True, overflow="ellipsis")
    table.add_column(Text(field), ratio=3, no_wrap=True, overflow="ellipsis")
    return table


def stage_record(change: RankChange) -> dict[str, Any]:
    return {
        "id": change.hit.id,
        "rank": change.second_rank,
        "first_rank": change.first_rank,
        "rise": change.rise,
        "score": change.hit.score if change.second_rank else None,
        "first_score": change.first_score,
        "source": change.hit.source,
    }


def _json_lines(body: dict[str, Any]) -> list[str]:
    return json.dumps(body, indent=2, ensure_ascii=False, sort_keys=True).splitlines()


def _rank(rank: int | None) -> str:
    return "-" if rank is None else str(rank)


def _rise(rise: int | None) -> Text:
    if rise is None:
        return Text("-")
    if rise == 0:
        return Text("=")
    return Text(f"{rise:+d}", style="green" if rise > 0 else "red")


def _excerpt(hit: Hit, field: str) -> Text:
    """One line of plain text: what a document holds is never read as markup."""
    found: Any = hit.source
    for part in field.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    text = " ".join(str(found).split())
    return Text(text[:MAX_TEXT])
