"""A tuning as a table."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bicross.tuning.record import Row, Tuning

HEADINGS = (
    "engine and precision",
    "streams x threads",
    "token budget",
    "padded to",
    "tokens/s",
    "x fp32",
    "pass, ms",
    "tau",
    "top-10",
    "cosine",
    "may be chosen",
)


def print_tuning(console: Console, tuning: Tuning) -> None:
    table = Table(*HEADINGS, title=f"{tuning.model}, sample {tuning.sample}")
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
    if row.tokens_per_s is None or row.seconds is None:
        cells += ["-"] * 6
    else:
        setting = row.setting
        ratio = f"{row.tokens_per_s / tuning.baseline:.2f}" if tuning.baseline else "-"
        cells += [f"{setting.streams} x {setting.threads}", str(setting.batch_tokens)]
        cells += [str(setting.pad_to), f"{row.tokens_per_s:,.0f}", ratio]
        cells += [f"{row.seconds * 1000:,.0f}"]
    found = row.agreement
    cells += ["-"] * 3 if found is None else [f"{found.tau:.4f}", f"{found.overlap:.3f}"]
    if found is not None:
        cells.append("-" if found.min_cosine is None else f"{found.min_cosine:.5f}")
    chosen = "chosen" if row == tuning.chosen else "yes"
    return [*cells, "no" if row.reason else chosen]
