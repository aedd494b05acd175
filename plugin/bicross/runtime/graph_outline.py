"""What an ONNX file consists of: its operators, where its tensors lie, how large they say they are.

Reads the protobuf wire format directly, so that serving needs no onnx package and nothing of the
size that a file claims is allocated: of the messages in onnx.proto only the fields listed here are
entered, and the weights are passed over.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bicross.errors import UnsafeGraph

MAX_DEPTH = 32
# The largest graphs in use have some 50,000 nodes with twenty fields each.
MAX_FIELDS = 8_000_000
# Shapes, repeats and limits; a tensor with more elements is data.
MAX_SHAPE = 64

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
INT64 = 7

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
# message: {field number: name under which its texts are kept}
TEXTS = {
    "Node": {1: "input", 2: "output", 4: "operator", 7: "domain"},
    "OperatorSet": {1: "domain"},
    "Function": {10: "domain"},
    "Entry": {1: "key", 2: "value"},
    "Tensor": {8: "name"},
}
# Likewise for whole numbers, packed into one field or not, and for the place of a tensor's bytes.
NUMBERS = {"Tensor": {1: "dims", 2: "kind", 7: "int64_data"}, "Attribute": {8: "ints"}}
RAW_DATA = 9


@dataclass(frozen=True, slots=True)
class TensorOutline:
    """`held` is how many bytes stand in the file for it, `is_raw` whether they are its own bytes.

    `external` are the entries that say where else its bytes are. `values` are those of a short
    int64 tensor.
    """

    name: str
    kind: int
    dims: tuple[int, ...]
    held: int
    is_raw: bool
    external: tuple[tuple[str, str], ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeOutline:
    """`values` are those of a Constant."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: tuple[int, ...]


@dataclass
class Outline:
    """`imports` are the operator domains a file declares, `own` those of functions it defines."""

    nodes: list[NodeOutline] = field(default_factory=list)
    tensors: list[TensorOutline] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    sparse: int = 0


def read_outline(file: Path) -> Outline:
    """Raises `UnsafeGraph` for what is not ONNX or has more parts than any model."""
    if file.stat().st_size == 0:
        raise UnsafeGraph(f"{file.name} is empty: not an ONNX file")
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        reader = _Reader(data)
        try:
            reader.read("Model", 0, len(data), 0)
        except (IndexError, ValueError):
            raise UnsafeGraph(f"{file.name} is not an ONNX file") from None
    return reader.found


@dataclass
class _Message:
    """The fields of one message that are kept, by their names."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    entries: list[tuple[str, str]] = field(default_factory=list)
    raw: tuple[int, int] | None = None
    # The values of the tensors and attributes inside.
    values: list[int] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The last one: so protobuf reads a field that is there twice."""
        return self.texts.get(name, [""])[-1]


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.found = Outline()
        self.fields = 0

    def read(self, message: str, start: int, end: int, depth: int) -> _Message:
        if depth > MAX_DEPTH:
            raise ValueError(message)
        children, texts = CHILDREN.get(message, {}), TEXTS.get(message, {})
        numbers = NUMBERS.get(message, {})
        result = _Message()
        for number, kind, first, last in self._fields(start, end):
            if number in numbers:
                kept = result.numbers.setdefault(numbers[number], [])
                self._numbers(kept, kind, first, last)
            elif kind != BYTES:
                continue
            elif number in children:
                self._enter(result, self.read(children[number], first, last, depth + 1))
            elif number in texts:
                text = self.data[first:last].decode()
                result.texts.setdefault(texts[number], []).append(text)
            elif message == "Tensor" and number == RAW_DATA:
                result.raw = (first, last)
        self._keep(message, result, end - start)
        return result

    def _enter(self, parent: _Message, child: _Message) -> None:
        if child.texts.keys() & {"key", "value"}:
            parent.entries.append((child.text("key"), child.text("value")))
        if len(parent.values) + len(child.values) <= MAX_SHAPE:
            parent.values += child.values

    def _keep(self, message: str, found: _Message, size: int) -> None:
        into = self.found
        if message == "Tensor":
            tensor = self._tensor(found, size)
            into.tensors.append(tensor)
            found.values = list(tensor.values)
        elif message == "Attribute":
            found.values += found.numbers.get("ints", [])[:MAX_SHAPE]
        elif message == "Node":
            operator, domain = found.text("operator"), found.text("domain")
            inputs, outputs = (tuple(found.texts.get(name, ())) for name in ("input", "output"))
            values = tuple(found.values) if operator == "Constant" else ()
            into.nodes.append(NodeOutline(operator, domain, inputs, outputs, values))
            found.values = []
        elif message == "OperatorSet":
            into.imports.add(found.text("domain"))
        elif message == "Function":
            into.own.add(found.text("domain"))
        elif message == "SparseTensor":
            into.sparse += 1

    def _tensor(self, found: _Message, size: int) -> TensorOutline:
        dims = tuple(found.numbers.get("dims", ()))
        kind = found.numbers.get("kind", [0])[-1]
        values = found.numbers.get("int64_data", [])[:MAX_SHAPE]
        held = size
        if found.raw is not None:
            start, end = found.raw
            held = end - start
            if held <= 8 * MAX_SHAPE:
                raw = self.data[start:end]
                parts = (raw[at : at + 8] for at in range(0, len(raw), 8))
                values = [int.from_bytes(part, "little", signed=True) for part in parts]
        return TensorOutline(
            found.text("name"),
            kind,
            dims,
            held,
            found.raw is not None,
            tuple(found.entries),
            tuple(values) if kind == INT64 else (),
        )

    def _numbers(self, kept: list[int], kind: int, first: int, last: int) -> None:
        """More than a shape has are passed over: they are data."""
        if kind == VARINT:
            kept.append(_signed(first))
        elif kind == BYTES:
            while first < last and len(kept) <= MAX_SHAPE:
                value, first = self._varint(first)
                kept.append(_signed(value))

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Number, wire type and, of each field of one message, its span or its varint's value."""
        at = start
        while at < end:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise ValueError(MAX_FIELDS)
            tag, at = self._varint(at)
            kind = tag & 7
            if kind == BYTES:
                size, at = self._varint(at)
                if at + size > end:
                    raise ValueError(size)
                yield tag >> 3, kind, at, at + size
                at += size
            elif kind == VARINT:
                value, at = self._varint(at)
                yield tag >> 3, kind, value, 0
            elif kind in {FIXED64, FIXED32}:
                at += 8 if kind == FIXED64 else 4
            else:
                raise ValueError(kind)

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self.data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
            shift += 7
            if shift > 63:
                raise ValueError(shift)


def _signed(value: int) -> int:
    """A varint as an int64: negative ones are written as their two's complement."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >= 1 << 63 else value
