"""Which lines of a file are acknowledged, in a journal that survives being killed.

One JSON record a line. The first says what the journal is bound to; each further one is a chunk
whose every line has an outcome: its line numbers as inclusive ranges, and those that failed. A
failed line's dead letter is on disk before the record that calls it failed, so nothing is lost
between the two: the chunk is sent again, and a document of the same id is written once.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self

from bicross.cluster.documents import FileIdentity

Range = tuple[int, int]


class Checkpoint:
    """Open for appending; `accepted` and `failed` are what earlier runs have settled."""

    def __init__(self, path: Path, binding: dict[str, Any]) -> None:
        self.accepted: set[int] = set()
        self.failed: set[int] = set()
        sound_bytes = self._replay(path, binding)
        self._stream: IO[str] = path.open("a" if sound_bytes else "w", encoding="utf-8")
        if sound_bytes:
            # A record cut short by a kill would join the next one to a line that nobody can read.
            self._stream.truncate(sound_bytes)
        else:
            self._append(binding)

    def pending(self, line: int) -> bool:
        """A line that failed is tried again, one that was accepted is not."""
        return line not in self.accepted

    def settle(self, lines: Sequence[int], failed: Iterable[int]) -> None:
        """On disk when this returns."""
        refused = sorted(failed)
        self._learn(lines, refused)
        self._append({"lines": list(ranges(lines)), "failed": refused})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    def _append(self, record: dict[str, Any]) -> None:
        self._stream.write(json.dumps(record, sort_keys=True) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _learn(self, lines: Iterable[int], failed: Iterable[int]) -> None:
        settled, refused = set(lines), set(failed)
        self.failed = (self.failed - settled) | refused
        self.accepted |= settled - refused

    def _replay(self, path: Path, binding: dict[str, Any]) -> int:
        """The bytes of whole records; 0 where there is no journal or it is bound otherwise."""
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return 0
        sound = raw[: raw.rfind(b"\n") + 1]
        records = [json.loads(line) for line in sound.splitlines()]
        if not records or records[0] != binding:
            return 0
        for record in records[1:]:
            self._learn(_expand(record["lines"]), record["failed"])
        return len(sound)


def binding(identity: FileIdentity, cluster_uuid: str, index_uuid: str) -> dict[str, Any]:
    """What makes a journal worthless when it changes: the file, the cluster, the very index."""
    return {
        "bicross_checkpoint": 1,
        "file_sha256": identity.sha256,
        "cluster_uuid": cluster_uuid,
        "index_uuid": index_uuid,
    }


def ranges(lines: Sequence[int]) -> Iterator[Range]:
    """Ascending line numbers as inclusive ranges."""
    start = previous = None
    for line in lines:
        if start is None or previous is None:
            start = line
        elif line != previous + 1:
            yield (start, previous)
            start = line
        previous = line
    if start is not None and previous is not None:
        yield (start, previous)


def _expand(pairs: Iterable[Sequence[int]]) -> Iterator[int]:
    for first, last in pairs:
        yield from range(first, last + 1)
