"""What an ONNX file names outside itself: operator domains and external tensors.

Reads the protobuf wire format directly, so that serving needs no onnx package and no file's
weights are read: of the messages in onnx.proto only the fields listed here are entered.
"""

import mmap
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bicross.bundle import Bundle
from bicross.bundle.layout import safe_path
from bicross.errors import UnsafeGraph, UnsafePath

ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
MAX_DEPTH = 32

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# message: {field number: message entered}; numbers are those of onnx.proto (IR version 13).
CHILDREN = {
    "Model": {7: "Graph", 8: "OperatorSet", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Function": {7: "Node", 9: "OperatorSet", 11: "Attribute"},
    "Tensor": {13: "Entry"},
}
# message: {field number: name under which its text is kept}
TEXTS = {
    "Node": {4: "operator", 7: "domain"},
    "OperatorSet": {1: "domain"},
    "Function": {10: "domain"},
    "Entry": {1: "key", 2: "value"},
}


@dataclass
class Outside:
    """`domains` maps each to one operator that uses it; `files` are external tensors' locations."""

    domains: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def require_safe_graph(file: Path, bundle: Bundle) -> None:
    """Raises `UnsafeGraph` for an operator domain or an external file that is not allowed.

    A function that the graph defines itself may have a domain of its own: it is made of operators
    that are checked here. An external file must be one that the manifest lists, so that its bytes
    are verified.
    """
    who = f"bundle {bundle.path.name}: {file.name}"
    found, own = read_outside(file)
    for domain, operator in found.domains.items():
        if domain not in ALLOWED_DOMAINS | own:
            raise UnsafeGraph(
                f"{who} uses operator {operator or '(import)'} of domain {domain!r}; "
                f"allowed are {', '.join(sorted(ALLOWED_DOMAINS - {''}))}"
            )
    folder = file.parent.relative_to(bundle.path).as_posix()
    for location in sorted(found.files):
        if _inside(folder, location) not in bundle.manifest.files:
            raise UnsafeGraph(
                f"{who} keeps a tensor in {location!r}, which manifest.json does not list; "
                "external data must lie in the bundle"
            )


def read_outside(file: Path) -> tuple[Outside, frozenset[str]]:
    """What `file` names outside itself, and the domains of the functions that it defines."""
    found, own = Outside(), set[str]()
    if file.stat().st_size == 0:
        raise UnsafeGraph(f"{file.name} is empty: not an ONNX file")
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            _walk(_Part(data, 0, len(data)), "Model", (found, own), 0)
        except (IndexError, ValueError):
            raise UnsafeGraph(f"{file.name} is not an ONNX file") from None
    return found, frozenset(own)


@dataclass(frozen=True, slots=True)
class _Part:
    """A span of the file: nothing of it is copied until its text is wanted."""

    data: mmap.mmap
    start: int
    end: int

    def text(self) -> str:
        return self.data[self.start : self.end].decode()


def _walk(part: _Part, message: str, into: tuple[Outside, set[str]], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(message)
    found, own = into
    children, names = CHILDREN.get(message, {}), TEXTS.get(message, {})
    texts: dict[str, str] = {}
    for number, content in _fields(part):
        if number in children:
            _walk(content, children[number], into, depth + 1)
        elif number in names:
            texts[names[number]] = content.text()
    if message == "Function":
        own.add(texts.get("domain", ""))
    elif message in {"Node", "OperatorSet"}:
        found.domains.setdefault(texts.get("domain", ""), texts.get("operator", ""))
    elif message == "Entry" and texts.get("key") == "location":
        found.files.add(texts.get("value", ""))


def _fields(part: _Part) -> Iterator[tuple[int, _Part]]:
    """The length-delimited fields of one message, by number. The others are passed over."""
    data, at = part.data, part.start
    while at < part.end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == BYTES:
            size, at = _varint(data, at)
            if at + size > part.end:
                raise ValueError(size)
            yield tag >> 3, _Part(data, at, at + size)
            at += size
        elif kind == VARINT:
            _, at = _varint(data, at)
        elif kind in {FIXED64, FIXED32}:
            at += 8 if kind == FIXED64 else 4
        else:
            raise ValueError(kind)


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(shift)


def _inside(folder: str, location: str) -> str | None:
    """`location`, relative to the graph's folder, as a path of the bundle; None where it leaves."""
    try:
        return safe_path(posixpath.normpath(posixpath.join(folder, safe_path(location))))
    except UnsafePath:
        return None
