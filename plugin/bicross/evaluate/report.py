"""What evaluate prints: one row a run, the comparison in words, and what the numbers leave out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from bicross.evaluate.compare import METHOD, Comparison, compare, in_words
from bicross.evaluate.dataset import Collection
from bicross.evaluate.measures import NDCG_10, RECALL_100, mean, per_query, percentile
from bicross.evaluate.runs import DENSE, DEPTH, RERANKED, Run


@dataclass(frozen=True)
class Row:
    """Means are over all judged queries, an unanswered one counted as zero."""

    name: str
    ndcg_10: float
    recall_100: float
    p50_ms: float
    p95_ms: float
    asked: int
    answered: int
    degraded: int


@dataclass(frozen=True)
class Report:
    collection: Collection
    setup: dict[str, Any]
    rows: tuple[Row, ...]
    comparison: Comparison | None
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Fit to be ranked: every run answered every query in full."""
        return all(row.asked == row.answered and not row.degraded for row in self.rows)

    def record(self) -> dict[str, Any]:
        return {
            "collection": self.collection.name,
            "documents": self.collection.documents,
            "queries_judged": len(self.collection.queries),
            "queries_unjudged": self.collection.unjudged,
            "setup": self.setup,
            "runs": [dict(vars(row)) for row in self.rows],
            "rerank_against_first_pass": self.comparison.record() if self.comparison else None,
            "notes": list(self.notes),
        }


def build_report(
    collection: Collection, setup: dict[str, Any], runs: Sequence[Run], notes: Sequence[str]
) -> Report:
    """`notes` come first; what the runs themselves leave out is added."""
    by_name = {run.name: run for run in runs}
    first, second = by_name[DENSE], by_name[RERANKED]
    comparison = None
    if first.whole and second.whole:
        comparison = compare(
            per_query(NDCG_10, collection.qrels, first.rankings),
            per_query(NDCG_10, collection.qrels, second.rankings),
        )
    return Report(
        collection=collection,
        setup=setup,
        rows=tuple(_row(collection, run) for run in runs),
        comparison=comparison,
        notes=(*notes, *_run_notes(runs), *_window_note(int(setup["window"]))),
    )


def print_report(console: Console, report: Report) -> None:
    # Names and the cluster's reasons stand in brackets, which rich would take for markup.
    say = partial(console.print, markup=False, soft_wrap=True)
    collection = report.collection
    say(
        f"{collection.name}: {collection.documents} documents, {len(collection.queries)} judged "
        f"queries asked ({collection.unjudged} without a positive judgement left out)"
    )
    say(", ".join(f"{key} {value}" for key, value in report.setup.items()))
    console.print(_table(report.rows))
    if report.comparison:
        say(in_words(report.comparison, "nDCG@10", DENSE, RERANKED))
        say(f"Method: {METHOD}.")
    if report.whole:
        say(f"Best mean nDCG@10 here: {max(report.rows, key=lambda row: row.ndcg_10).name}.")
    for note in report.notes:
        say(f"Note: {note}")


def _table(rows: Sequence[Row]) -> Table:
    table = Table("run", box=None, pad_edge=False)
    for column in ("nDCG@10", "recall@100", "p50 ms", "p95 ms", "asked", "answered", "degraded"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.ndcg_10:.4f}",
            f"{row.recall_100:.4f}",
            f"{row.p50_ms:.0f}",
            f"{row.p95_ms:.0f}",
            str(row.asked),
            str(row.answered),
            str(row.degraded),
        )
    return table


def _row(collection: Collection, run: Run) -> Row:
    return Row(
        name=run.name,
        ndcg_10=mean(per_query(NDCG_10, collection.qrels, run.rankings)),
        recall_100=mean(per_query(RECALL_100, collection.qrels, run.rankings)),
        p50_ms=percentile(run.latencies_ms, 50),
        p95_ms=percentile(run.latencies_ms, 95),
        asked=len(collection.queries),
        answered=len(run.rankings),
        degraded=run.degraded,
    )


def _run_notes(runs: Sequence[Run]) -> list[str]:
    notes = []
    for run in runs:
        if run.unanswered:
            reason = next(iter(run.unanswered.values()))
            notes.append(
                f"{run.name}: {len(run.unanswered)} queries were refused and count as zero; the "
                f"first reason: {reason}. A partial run is not compared"
            )
        if run.repeated:
            notes.append(
                f"{run.name}: {run.repeated} searches met overload or a deadline and were asked "
                "again; the latencies are those of the answers"
            )
        if run.degraded:
            notes.append(
                f"{run.name}: {run.degraded} answers came with a warning; a degraded run is not "
                "compared"
            )
    return notes


def _window_note(window: int) -> list[str]:
    if window >= DEPTH:
        return []
    return [f"{RERANKED}: only the {window} hits of its window come back, so recall@100 is theirs"]
