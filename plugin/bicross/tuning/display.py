"""A tuning as a table."""

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bicross.tuning.record import Row, Tuning

HEADINGS = (
    "engine and precision",
    "streams x threads",
    "token budget",
    "pad to",
    "tokens/s",
    "x fp32",
    "tau",
    "top 10",
    "cosine",
    "may be chosen",
)


def print_tuning(console: Console, tuning: Tuning) -> None:
    """In 80 columns: what is left out is in the JSON."""
    first = Column(HEADINGS[0], min_width=len("onnxruntime"), overflow="fold")
    table = Table(first, *HEADINGS[1:], box=None, pad_edge=False, padding=(0, 1, 0, 0))
    console.print(f"{tuning.model}, sample {tuning.sample}", highlight=False)
    for row in sorted(tuning.rows, key=lambda each: -(each.tokens_per_s or 0)):
        style = "bold green" if row == tuning.chosen else "dim" if row.reason else None
        table.add_row(*_cells(row, tuning), style=style)
    console.print(table)
    for row in tuning.rows:
        if row.reason:
            console.print(f"{row.pair} may not be chosen: {escape(row.reason)}", highlight=False)
    console.print(f"{tuning.machine['model name']}, {tuning.machine['cores']} cores")


def _cells(row: Row, tuning: Tuning) -> list[str]:
    cells = [str(row.pair)]
    if row.tokens_per_s is None:
        cells += ["-"] * 5
    else:
        setting = row.setting
        ratio = f"{row.tokens_per_s / tuning.baseline:.2f}" if tuning.baseline else "-"
        cells += [f"{setting.streams} x {setting.threads}", str(setting.batch_tokens)]
        cells += [str(setting.pad_to), f"{row.tokens_per_s:,.0f}", ratio]
    found = row.agreement
    cells += ["-"] * 3 if found is None else [f"{found.tau:.3f}", f"{found.overlap:.2f}"]
    if found is not None:
        cells.append("-" if found.min_cosine is None else f"{found.min_cosine:.5f}")
    chosen = "chosen" if row == tuning.chosen else "yes"
    return [*cells, "no" if row.reason else chosen]
