"""JSON lines to documents, in chunks that remember which lines they hold."""

import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bicross.errors import UsageError

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Document:
    """One line that may be indexed; `line` counts from 1."""

    line: int
    id: str
    source: dict[str, Any]
    size_bytes: int


@dataclass(frozen=True)
class Malformed:
    """One line that may not, and why; `text` is the line as it stands."""

    line: int
    reason: str
    text: str
    size_bytes: int


Line = Document | Malformed
ParseLine = Callable[[int, bytes], Line]


@dataclass(frozen=True)
class FileIdentity:
    """What a checkpoint is bound to: the sha256 of the file as it lies there; lines not blank."""

    sha256: str
    lines: int


@contextmanager
def open_lines(path: Path) -> Iterator[IO[bytes]]:
    """The lines of a plain or gzip-compressed file, told apart by content, not by name."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if compressed:
                with gzip.open(raw, "rb") as stream:
                    yield cast("IO[bytes]", stream)
            else:
                yield raw
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"{path} is not a file") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"{path} is a broken gzip file: {error}") from None


def identify(path: Path) -> FileIdentity:
    digest = hashlib.sha256()
    lines = 0
    with open_lines(path) as stream:
        for line in stream:
            lines += bool(line.strip())
    with path.open("rb") as raw:
        while block := raw.read(BLOCK_BYTES):
            digest.update(block)
    return FileIdentity(digest.hexdigest(), lines)


def json_line(id_field: str) -> ParseLine:
    """A parser of lines whose id stands in `id_field`; `_id` is taken out, another field stays."""

    def parse(line: int, raw: bytes) -> Line:
        def refuse(reason: str) -> Malformed:
            return Malformed(line, reason, raw.decode("utf-8", "replace").rstrip("\n"), len(raw))

        try:
            source = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return refuse(f"line {line} is not JSON in UTF-8: {error}")
        if not isinstance(source, dict):
            return refuse(f"line {line} is not a JSON object")
        found = source.get(id_field)
        if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
            return refuse(f"line {line} has no id in {id_field!r}; name its field by --id-field")
        if id_field == "_id":
            del source["_id"]
        return Document(line, str(found), source, len(raw))

    return parse


def read_chunks(
    path: Path, parse: ParseLine, pending: Callable[[int], bool], limits: tuple[int, int]
) -> Iterator[list[Line]]:
    """The pending lines in order, in chunks of at most `limits` documents and bytes.

    Blank lines are no documents and are left out. A line above the byte limit travels alone. No
    chunk holds an id twice: a retry inside it could otherwise let the earlier line win.
    """
    max_documents, max_bytes = limits
    chunk: list[Line] = []
    ids: set[str | None] = set()
    size = 0
    with open_lines(path) as stream:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip() or not pending(number):
                continue
            line = parse(number, raw)
            full = len(chunk) == max_documents or size + line.size_bytes > max_bytes
            if chunk and (full or id_of(line) in ids):
                yield chunk
                chunk, ids, size = [], set(), 0
            chunk.append(line)
            ids |= ids_of([line])
            size += line.size_bytes
    if chunk:
        yield chunk


def id_of(line: Line) -> str | None:
    return line.id if isinstance(line, Document) else None


def ids_of(lines: Collection[Line]) -> set[str | None]:
    return {line.id for line in lines if isinstance(line, Document)}
