"""A graph may claim no more memory than its bytes fill, seen before anything is allocated."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bicross.bundle import Bundle
from bicross.bundle.manifest import FileRecord
from bicross.errors import UnsafeGraph
from bicross.runtime.graph_outline import read_outline
from bicross.runtime.graph_safety import MAX_ELEMENTS, require_safe_graph

Message = Callable[..., bytes]
Copied = Callable[[Bundle], Bundle]

# Field numbers and data types of onnx.proto.
GRAPH, NODE, INITIALIZER, SPARSE = 7, 1, 5, 15
INPUT, OUTPUT, OPERATOR, ATTRIBUTE = 1, 2, 4, 5
DIMS, KIND, FLOAT_DATA, INT64_DATA, NAME, RAW, EXTERNAL = 1, 2, 4, 7, 8, 9, 13
ATTRIBUTE_TENSOR, ATTRIBUTE_INTS = 5, 8
FLOAT, INT8, INT64, STRING, INT4 = 1, 3, 7, 8, 22
TERABYTE = 1 << 40


@pytest.fixture
def check(message: Message, copied: Copied, bi_bundle: Bundle) -> Callable[..., None]:
    """Refuses, or not, a graph of the given fields; `data` is an external file and its size."""

    def check(*fields: tuple[int, bytes], data: int | None = None) -> None:
        bundle = copied(bi_bundle)
        file = bundle.path / "onnx" / "model.onnx"
        file.write_bytes(message((GRAPH, message(*fields))))
        if data is not None:
            record = FileRecord(sha256="0" * 64, size=data)
            files = {**bundle.manifest.files, "onnx/weights.data": record}
            bundle = replace(bundle, manifest=bundle.manifest.model_copy(update={"files": files}))
        require_safe_graph(file, bundle)

    return check


def tensor(message: Message, kind: int, dims: tuple[int, ...], *more: tuple[int, bytes]) -> bytes:
    return message(*((DIMS, size) for size in dims), (KIND, kind), (NAME, "w"), *more)


@pytest.mark.parametrize(
    ("kind", "dims", "size"),
    [
        (FLOAT, (2, 3), 24),
        (FLOAT, (), 4),
        (FLOAT, (0, 1 << 60), 0),
        (INT8, (5,), 5),
        (INT4, (5,), 3),
        (INT64, (2,), 16),
    ],
)
def test_tensor_whose_bytes_are_there_is_allowed(
    check: Callable[..., None], message: Message, kind: int, dims: tuple[int, ...], size: int
) -> None:
    check((INITIALIZER, tensor(message, kind, dims, (RAW, bytes(size)))))


@pytest.mark.parametrize(
    ("kind", "dims", "size"),
    [
        (FLOAT, (TERABYTE,), 4),
        (FLOAT, (1 << 20, 1 << 20), 4096),
        (FLOAT, (2, 3), 23),
        (INT4, (5,), 2),
        (INT64, (1 << 62, 1 << 62), 16),
    ],
)
def test_tensor_that_claims_more_than_it_holds_is_refused(
    check: Callable[..., None], message: Message, kind: int, dims: tuple[int, ...], size: int
) -> None:
    with pytest.raises(UnsafeGraph, match=r"tensor 'w' of [0-9x]+ takes \d+ bytes, but"):
        check((INITIALIZER, tensor(message, kind, dims, (RAW, bytes(size)))))


@pytest.mark.parametrize("kind", [FLOAT, INT64, STRING, INT4])
def test_tensor_without_any_data_is_refused(
    check: Callable[..., None], message: Message, kind: int
) -> None:
    with pytest.raises(UnsafeGraph, match="takes"):
        check((INITIALIZER, tensor(message, kind, (TERABYTE,))))


def test_small_numbers_may_be_packed(check: Callable[..., None], message: Message) -> None:
    """Ten int64 of one byte each stand in for 80 bytes."""
    numbers = (INITIALIZER, tensor(message, INT64, (10,), (INT64_DATA, bytes(10))))
    check(numbers, (INITIALIZER, tensor(message, FLOAT, (3,), (FLOAT_DATA, bytes(12)))))


@pytest.mark.parametrize("dims", [(-1,), (4, -(1 << 62)), (1,) * 65], ids=["-1", "low", "many"])
def test_impossible_dimensions_are_refused(
    check: Callable[..., None], message: Message, dims: tuple[int, ...]
) -> None:
    unsigned = tuple(size % (1 << 64) for size in dims)
    with pytest.raises(UnsafeGraph, match="impossible dimensions"):
        check((INITIALIZER, tensor(message, FLOAT, unsigned, (RAW, bytes(4)))))


def test_sparse_tensor_is_refused(check: Callable[..., None], message: Message) -> None:
    with pytest.raises(UnsafeGraph, match="sparse"):
        check((SPARSE, message((3, TERABYTE))))


def test_tensor_in_an_attribute_is_checked_too(
    check: Callable[..., None], message: Message
) -> None:
    bomb = tensor(message, FLOAT, (TERABYTE,))
    node = message((OPERATOR, "Constant"), (ATTRIBUTE, message((ATTRIBUTE_TENSOR, bomb))))
    with pytest.raises(UnsafeGraph, match="takes"):
        check((NODE, node))


def external(message: Message, **entries: str) -> tuple[tuple[int, bytes], ...]:
    return tuple((EXTERNAL, message((1, key), (2, value))) for key, value in entries.items())


@pytest.mark.parametrize(
    "entries",
    [{}, {"offset": "0", "length": "24"}, {"offset": "76"}, {"checksum": "anything"}],
    ids=str,
)
def test_external_tensor_inside_its_file_is_allowed(
    check: Callable[..., None], message: Message, entries: dict[str, str]
) -> None:
    rows = external(message, location="weights.data", **entries)
    check((INITIALIZER, tensor(message, FLOAT, (2, 3), *rows)), data=100)


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"offset": "77"}, "takes 24 bytes from byte 77 on, but 'weights.data' has 100"),
        ({"length": "101"}, "takes 101 bytes"),
        ({"offset": "9" * 19}, "from byte 9"),
        ({"offset": "-8"}, "offset '-8', no whole number"),
        ({"length": "1e3"}, "length '1e3', no whole number"),
        ({"offset": "9" * 40}, "no whole number"),
        ({"offset": "٣"}, "no whole number"),
    ],
)
def test_external_tensor_beyond_its_file_is_refused(
    check: Callable[..., None], message: Message, entries: dict[str, str], named: str
) -> None:
    rows = external(message, location="weights.data", **entries)
    with pytest.raises(UnsafeGraph, match=named):
        check((INITIALIZER, tensor(message, FLOAT, (2, 3), *rows)), data=100)


@pytest.mark.parametrize(
    "order", [("weights.data", "/etc/passwd"), ("/etc/passwd", "weights.data")], ids=str
)
def test_every_location_of_a_tensor_is_checked(
    check: Callable[..., None], message: Message, order: tuple[str, ...]
) -> None:
    """One reader takes the first of two, another the last."""
    rows = [row for name in order for row in external(message, location=name)]
    with pytest.raises(UnsafeGraph, match="/etc/passwd"):
        check((INITIALIZER, tensor(message, FLOAT, (2,), *rows)), data=100)


def test_address_in_memory_is_no_location(
    message: Message, tmp_path: Path, bi_bundle: Bundle
) -> None:
    """The mark is onnxruntime's own; even where a file of that name is listed."""
    name = "*/_ORT_MEM_ADDR_/*"
    record = FileRecord(sha256="0" * 64, size=100)
    files = {**bi_bundle.manifest.files, f"onnx/{name}": record}
    manifest = bi_bundle.manifest.model_copy(update={"files": files})
    rows = external(message, location=name, offset="0", length="8")
    (tmp_path / "onnx").mkdir()
    file = tmp_path / "onnx" / "model.onnx"
    graph = message((INITIALIZER, tensor(message, FLOAT, (2,), *rows)))
    file.write_bytes(message((GRAPH, graph)))
    with pytest.raises(UnsafeGraph, match="external data"):
        require_safe_graph(file, Bundle(tmp_path, manifest, bi_bundle.goldens))


@pytest.mark.parametrize("operator", ["ConstantOfShape", "Expand", "Tile", "Range"])
@pytest.mark.parametrize("sizes", [(10**12,), (1 << 20, 1 << 20)], ids=str)
def test_constant_that_asks_for_a_terabyte_is_refused(
    check: Callable[..., None], message: Message, operator: str, sizes: tuple[int, ...]
) -> None:
    inputs = ["shape"] if operator == "ConstantOfShape" else ["value", "shape"]
    raw = b"".join(size.to_bytes(8, "little") for size in sizes)
    shape = message((DIMS, len(sizes)), (KIND, INT64), (NAME, "shape"), (RAW, raw))
    node = message(*((INPUT, name) for name in inputs), (OPERATOR, operator))
    with pytest.raises(UnsafeGraph, match=rf"{operator} makes a tensor of [0-9x]+"):
        check((INITIALIZER, shape), (NODE, node))


def test_constant_node_is_a_shape_too(check: Callable[..., None], message: Message) -> None:
    value = message((ATTRIBUTE_INTS, 1 << 20), (ATTRIBUTE_INTS, 1 << 20))
    constant = message((OUTPUT, "shape"), (OPERATOR, "Constant"), (ATTRIBUTE, value))
    node = message((INPUT, "shape"), (OPERATOR, "ConstantOfShape"))
    with pytest.raises(UnsafeGraph, match="ConstantOfShape makes"):
        check((NODE, constant), (NODE, node))


def test_mask_of_the_longest_texts_is_allowed(check: Callable[..., None], message: Message) -> None:
    raw = (MAX_ELEMENTS >> 14).to_bytes(8, "little") * 2
    shape = message((DIMS, 2), (KIND, INT64), (NAME, "shape"), (RAW, raw))
    check((INITIALIZER, shape), (NODE, message((INPUT, "shape"), (OPERATOR, "ConstantOfShape"))))


@pytest.mark.parametrize("operator", ["EPContext", "PyOp"])
def test_operator_that_reads_files_or_code_is_refused(
    check: Callable[..., None], message: Message, operator: str
) -> None:
    with pytest.raises(UnsafeGraph, match=f"operator {operator}"):
        check((NODE, message((OPERATOR, operator), (7, "com.microsoft"))))


def test_onnxruntimes_own_format_is_refused_by_its_ending(
    copied: Copied, bi_bundle: Bundle
) -> None:
    bundle = copied(bi_bundle)
    file = (bundle.path / "onnx" / "model.onnx").rename(bundle.path / "onnx" / "model.ort")
    with pytest.raises(UnsafeGraph, match=r"model\.ort is no \.onnx file"):
        require_safe_graph(file, bundle)


def test_outline_of_a_real_graph_has_its_operators_and_tensors(bi_bundle: Bundle) -> None:
    outline = read_outline(bi_bundle.file("onnx/model.onnx"))
    assert {"Gather", "MatMul", "Softmax"} <= {node.operator for node in outline.nodes}
    words = [tensor for tensor in outline.tensors if "word_embeddings" in tensor.name]
    assert [tensor.dims[1] for tensor in words] == [16]
    assert all(tensor.held == 4 * tensor.dims[0] * 16 for tensor in words)
