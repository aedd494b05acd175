"""Documents that were not indexed, each with its reason, in a file that can be read and mended."""

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """`document` is the line as it was sent, or its text where it was no document."""

    line: int
    id: str | None
    status: int
    reason: str
    document: dict[str, Any] | str

    def record(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "id": self.id,
            "status": self.status,
            "reason": self.reason,
            "document": self.document,
        }


class DeadLetters:
    """FILE.failed.jsonl: one refusal a line, those of lines that are accepted later taken out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, refusals: Sequence[Refusal]) -> None:
        """On disk when this returns: a line is called failed only once its reason is kept."""
        if not refusals:
            return
        with self.path.open("a", encoding="utf-8") as stream:
            for refusal in refusals:
                stream.write(json.dumps(refusal.record(), ensure_ascii=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def keep(self, lines: Collection[int]) -> None:
        """Only the last refusal of each of `lines` stays; an empty file is removed."""
        if not self.path.exists():
            return
        kept: dict[int, str] = {}
        for text in self.path.read_text(encoding="utf-8").splitlines():
            line = _line_number(text)
            if line in lines:
                kept[line] = text
        if not kept:
            self.path.unlink()
            return
        staged = self.path.with_name(f".{self.path.name}.part")
        staged.write_text("".join(kept[line] + "\n" for line in sorted(kept)), encoding="utf-8")
        staged.replace(self.path)


def _line_number(text: str) -> int:
    """0, which is no line, for a record cut short by a kill; its line is sent again."""
    try:
        return int(json.loads(text)["line"])
    except (ValueError, KeyError, TypeError):
        return 0
