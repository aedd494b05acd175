"""Results: a JSON file that can be compared, and a table that can be read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.serving.passages import ROOT

FOLDER = ROOT / "benchmarks" / "results"
DIGITS = 5
WIDTH = 236


@dataclass(frozen=True)
class Column:
    """`key` of a row, with dots where rows are nested; `form` as `format` takes it.

    A row without the key shows a dash.
    """

    title: str
    key: str
    form: str = ""


def write(name: str, results: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(rounded(results), indent=1) + "\n")
    return file


def rounded(value: Any) -> Any:  # noqa: ANN401  any JSON
    """Floats to five significant digits: more would only be noise that differs each time."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value


def cells(row: Mapping[str, Any], columns: Sequence[Column]) -> list[str]:
    values = [(_at(row, column.key), column.form) for column in columns]
    return ["-" if value is None else format(value, form) for value, form in values]


def show(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        named = not column.form
        table.add_column(column.title, justify="left" if named else "right", no_wrap=named)
    for row in rows:
        table.add_row(*cells(row, columns))
    Console(width=WIDTH).print(table)


def _at(row: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401  any JSON
    found: Any = row
    for part in key.split("."):
        found = (found or {}).get(part)
    return found
