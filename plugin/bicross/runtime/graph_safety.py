"""What an ONNX file may do before onnxruntime is given it.

It may use known operators, keep tensors in files of its own folder, and claim no more memory than
its bytes fill. Shapes that are computed when the graph runs are not known here: what such a graph
takes is bounded by the memory that the process is given.
"""

import math
import posixpath
from collections.abc import Callable
from pathlib import Path

from bicross.bundle import Bundle
from bicross.bundle.layout import safe_path
from bicross.errors import UnsafeGraph, UnsafePath
from bicross.runtime.graph_outline import Outline, TensorOutline, read_outline

ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# Of the allowed domains, those that read files of their own or run code.
FORBIDDEN_OPERATORS = frozenset({"EPContext", "PyOp", "PythonOp", "PythonOpGrad", "ATen"})
# A mask of 16,384 by 16,384; as float32 a gigabyte.
MAX_ELEMENTS = 1 << 28
MAX_DIMS = 64
# Bits of one element, by the data types of onnx.proto. A text takes two bytes of the file or more,
# and with 128 bits no more than `SHORTEST` allows.
BITS = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13, 14), 64),
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
    **dict.fromkeys((27, 28), 6),
    8: 128,
    15: 128,
}
# Outside raw_data a small int64 takes one byte instead of eight.
SHORTEST = 8
# Operators whose output is as large as the values of one input say, and which input that is.
SIZED_BY = {"ConstantOfShape": 0, "Expand": 1, "OneHot": 1, "Pad": 1, "Range": 1, "Tile": 1}

# The size in bytes of the file at a location, None where the graph may not name it.
SizeOf = Callable[[str], int | None]


def require_safe_graph(file: Path, bundle: Bundle) -> None:
    """Raises `UnsafeGraph`, naming the file and the operator, tensor or location.

    An external file must be one that the manifest lists, so that its bytes are verified.
    """
    folder = file.parent.relative_to(bundle.path).as_posix()

    def size_of(location: str) -> int | None:
        inside = inside_folder(folder, location)
        record = bundle.manifest.files.get(inside) if inside else None
        return record.size if record else None

    require_safe_file(file, f"bundle {bundle.path.name}: {file.name}", size_of)


def require_safe_file(file: Path, who: str, size_of: SizeOf) -> Outline:
    """The outline of `file`. Raises `UnsafeGraph`."""
    if file.suffix != ".onnx":
        # onnxruntime takes other endings for its own format, which is not read here.
        raise UnsafeGraph(f"{who} is no .onnx file; rename it where it is one")
    outline = read_outline(file)
    _require_operators(outline, who)
    if outline.sparse:
        raise UnsafeGraph(f"{who} has sparse tensors, whose size is not bounded by the file's")
    for tensor in outline.tensors:
        _require_size(tensor, who)
        _require_external(tensor, who, size_of)
    _require_shapes(outline, who)
    return outline


def inside_folder(folder: str, location: str) -> str | None:
    """`location`, relative to the graph's `folder`, as a path of the bundle; None where it leaves.

    An asterisk stands in the locations by which onnxruntime marks addresses of its own memory.
    """
    try:
        path = safe_path(posixpath.normpath(posixpath.join(folder, safe_path(location))))
    except UnsafePath:
        return None
    return None if "*" in path else path


def _require_operators(outline: Outline, who: str) -> None:
    """A function that the graph defines itself may have a domain of its own: it is made of
    operators that are checked here.
    """
    used = dict.fromkeys(outline.imports, "")
    used |= {node.domain: node.operator for node in outline.nodes}
    for domain, operator in used.items():
        if domain not in ALLOWED_DOMAINS | outline.own:
            raise UnsafeGraph(
                f"{who} uses operator {operator or '(import)'} of domain {domain!r}; "
                f"allowed are {', '.join(sorted(ALLOWED_DOMAINS - {''}))}"
            )
    for node in outline.nodes:
        if node.operator in FORBIDDEN_OPERATORS:
            raise UnsafeGraph(f"{who} uses operator {node.operator}, which may read files or code")


def _require_size(tensor: TensorOutline, who: str) -> None:
    """The bytes that its dimensions claim must be there."""
    if len(tensor.dims) > MAX_DIMS or any(size < 0 for size in tensor.dims):
        raise UnsafeGraph(f"{who}: tensor {tensor.name!r} has impossible dimensions")
    if tensor.external:
        return
    claimed = _bytes(tensor)
    held = tensor.held if tensor.is_raw else tensor.held * SHORTEST
    if claimed > held:
        raise UnsafeGraph(
            f"{who}: tensor {tensor.name!r} of {'x'.join(map(str, tensor.dims))} takes {claimed} "
            f"bytes, but the file holds {tensor.held} of it"
        )


def _bytes(tensor: TensorOutline) -> int:
    return -(-math.prod(tensor.dims) * BITS.get(tensor.kind, 0) // 8)


def _require_external(tensor: TensorOutline, who: str, size_of: SizeOf) -> None:
    if not tensor.external:
        return
    # A key that is there twice is read by its last value; all must be harmless.
    rows = list(tensor.external)
    locations = [value for key, value in rows if key == "location"] or [""]
    for location in locations:
        size = size_of(location)
        if size is None:
            raise UnsafeGraph(
                f"{who} keeps a tensor in {location!r}, which manifest.json does not list or which "
                "is no file of this folder; external data must lie in the bundle"
            )
        for offset in _whole_numbers(rows, "offset", who):
            lengths = _whole_numbers(rows, "length", who)
            needed = max(_bytes(tensor), *lengths)
            if offset + needed > size:
                raise UnsafeGraph(
                    f"{who}: tensor {tensor.name!r} takes {needed} bytes from byte {offset} on, "
                    f"but {location!r} has {size}"
                )


def _whole_numbers(rows: list[tuple[str, str]], wanted: str, who: str) -> list[int]:
    """The values of the entries `wanted`; 0 where there is none."""
    found = [value for key, value in rows if key == wanted]
    for value in found:
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            raise UnsafeGraph(f"{who}: external data with {wanted} {value[:40]!r}, no whole number")
    return [int(value) for value in found] or [0]


def _require_shapes(outline: Outline, who: str) -> None:
    """Where a constant says how large an output is, that must be no more than a mask's size."""
    known = {tensor.name: tensor.values for tensor in outline.tensors if tensor.values}
    for node in outline.nodes:
        if node.operator == "Constant" and node.outputs:
            known[node.outputs[0]] = node.values
    for node in outline.nodes:
        place = SIZED_BY.get(node.operator)
        if place is None or place >= len(node.inputs):
            continue
        values = known.get(node.inputs[place], ())
        if math.prod(max(1, value) for value in values) > MAX_ELEMENTS:
            raise UnsafeGraph(
                f"{who}: {node.operator} makes a tensor of {'x'.join(map(str, values))}; "
                f"at most {MAX_ELEMENTS} elements are allowed"
            )
