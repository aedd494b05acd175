"""The texts that the gate uses: queries and passages, the built-in ones or one's own.

A sample file is JSON Lines: each line is `{"query": "..."}` or `{"passage": "..."}`. The first 8
queries by the first 16 passages become the bundle's goldens, so their texts travel with it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.errors import UsageError

BUILT_IN = Path(__file__).with_name("sample.jsonl")
# More would make the gate slow and tell nothing new: a cross-encoder scores every pair.
MAX_QUERIES = 16
MAX_PASSAGES = 64
SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Sample:
    origin: str
    queries: tuple[str, ...]
    passages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.origin}: {len(self.queries)} queries, {len(self.passages)} passages"


def read_sample(file: Path | None = None) -> Sample:
    """The first 16 queries and 64 passages of `file`, else the built-in English ones.

    Raises `UsageError` for a file that cannot be read, a line that is neither, and too few.
    """
    texts: dict[str, dict[str, None]] = {"query": {}, "passage": {}}
    for number, line in enumerate(_lines(file or BUILT_IN), 1):
        if line.strip():
            kind, text = _parse(line, f"{file}, line {number}")
            texts[kind].setdefault(text)
    queries, passages = list(texts["query"]), list(texts["passage"])
    if len(queries) < QUERIES or len(passages) < PASSAGES:
        raise UsageError(
            f"{file} has {len(queries)} different queries and {len(passages)} passages; "
            f"the gate needs {QUERIES} and {PASSAGES} or more"
        )
    origin = "built-in" if file is None else file.name
    return Sample(origin, tuple(queries[:MAX_QUERIES]), tuple(passages[:MAX_PASSAGES]))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--sample {file} cannot be read: {error}") from None


def _parse(line: str, where: str) -> tuple[str, str]:
    try:
        row = json.loads(line)
        ((kind, text),) = row.items()
    except (ValueError, AttributeError):
        kind, text = "", None
    if kind not in {"query", "passage"} or not isinstance(text, str) or not text.strip():
        raise UsageError(f'{where}: expected {{"query": "..."}} or {{"passage": "..."}}')
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{where}: a lone surrogate at character {error.start}; write whole Unicode characters"
        ) from None
    return kind, text


def shortened(text: str) -> str:
    """In quotes, on one line, long ones cut: for a terminal."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")
