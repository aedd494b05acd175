"""The tiny bundles, copies of them that a test may damage, and ONNX files written by hand."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from bicross.bundle import Bundle, Manifest, open_bundle
from bicross.bundle.manifest import Graph
from bicross.bundle.matrix import Matrix
from bicross.bundle.sequences import Sequences
from bicross.bundle.store import file_records


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Bundle], Bundle]:
    """The same bundle in a folder of the test's own, no longer verified."""

    def copy(bundle: Bundle) -> Bundle:
        shutil.copytree(bundle.path, tmp_path / "copy")
        return replace(bundle, path=tmp_path / "copy")

    return copy


def message(*fields: tuple[int, bytes | str | int]) -> bytes:
    """One protobuf message: numbers as varints, the rest with its length before it."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(content)) + content
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


Message = Callable[..., bytes]


@pytest.fixture(scope="session", name="message")
def message_fixture() -> Message:
    """Writes protobuf, so that hostile graphs need no onnx package."""
    return message


FLOAT, INT64 = 1, 7
WIDTH = 16
QUERY_TOKENS = 8


def lookup_graph(table: np.typing.NDArray[np.float32]) -> bytes:
    """`sentence_embedding`: the sum of `table`'s rows for `input_ids` where `pooling_mask` is 1."""

    def value(name: str, kind: int, *sizes: str) -> bytes:
        shape = message(*((1, message((2, size))) for size in sizes))
        return message((1, name), (2, message((1, message((1, kind), (2, shape))))))

    def tensor(name: str, kind: int, array: np.typing.NDArray[np.generic]) -> bytes:
        sizes = [(1, size) for size in array.shape]
        return message(*sizes, (2, kind), (8, name), (9, array.tobytes()))

    def node(operator: str, inputs: str, output: str, *attribute: tuple[int, str | int]) -> bytes:
        named = [(5, message(*attribute, (20, 2)))] if attribute else []
        return message(*((1, name) for name in inputs.split()), (2, output), (4, operator), *named)

    nodes = (
        node("Gather", "table input_ids", "vectors"),
        node("Cast", "pooling_mask", "mask", (1, "to"), (3, FLOAT)),
        node("Unsqueeze", "mask two", "weights"),
        node("Mul", "vectors weights", "weighted"),
        node("ReduceSum", "weighted one", "sentence_embedding", (1, "keepdims"), (3, 0)),
    )
    constants = (
        tensor("table", FLOAT, table),
        tensor("one", INT64, np.array([1])),
        tensor("two", INT64, np.array([2])),
    )
    graph = message(
        *((1, each) for each in nodes),
        (2, "lookup"),
        *((5, each) for each in constants),
        *((11, value(name, INT64, "n", "length")) for name in ("input_ids", "pooling_mask")),
        (12, value("sentence_embedding", FLOAT, "n", "width")),
    )
    return message((1, 8), (7, graph), (8, message((2, 18))))


@dataclass(frozen=True)
class Routed:
    """tiny-bi's passages, and queries that are sums of `table`'s rows, their prompt left out."""

    bundle: Bundle
    table: np.typing.NDArray[np.float32]

    def expected(self, query: str) -> np.typing.NDArray[np.float32]:
        """Of the prompt `query: ` one token is left out: the colon is unknown, and so special."""
        pieces = tokenizers.Tokenizer.from_file(str(self.bundle.file("tokenizer.json")))
        ids = pieces.encode("query: " + query, add_special_tokens=False).ids
        found: np.typing.NDArray[np.float32] = self.table[ids[1:QUERY_TOKENS]].sum(axis=0)
        return found

    def narrowed_graph(self) -> bytes:
        return lookup_graph(self.table[:, :8])


@pytest.fixture(scope="session")
def routed(tmp_path_factory: pytest.TempPathFactory, bi_bundle: Bundle) -> Routed:
    """A bundle on disk with a query graph, and a query tokenizer that adds no special tokens."""
    path = tmp_path_factory.mktemp("bundles") / "tiny-routed"
    shutil.copytree(bi_bundle.path, path)
    shutil.copy(path / "tokenizer.json", path / "query_tokenizer.json")
    vocabulary = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json")).get_vocab_size()
    table = np.random.default_rng(9).normal(size=(vocabulary, WIDTH)).astype(np.float32)
    (path / "onnx" / "query_model.onnx").write_bytes(lookup_graph(table))
    made = Routed(replace(bi_bundle, path=path), table)
    goldens = bi_bundle.goldens
    vectors = Matrix.of([made.expected(query).tolist() for query in goldens.queries])
    goldens = goldens.model_copy(update={"queries_out": vectors})
    (path / "goldens.json").write_text(goldens.to_json())
    manifest = routed_manifest(bi_bundle.manifest, path)
    (path / "manifest.json").write_text(manifest.to_json())
    return replace(made, bundle=open_bundle(path))


def routed_manifest(manifest: Manifest, path: Path) -> Manifest:
    sequences = Sequences(
        tokenizer="query_tokenizer.json", max_tokens=QUERY_TOKENS, special_tokens=False
    )
    graph = Graph(inputs=("input_ids", "pooling_mask"), output="sentence_embedding", opset=18)
    record = manifest.precisions["fp32"].model_copy(update={"query_file": "onnx/query_model.onnx"})
    update = {
        "name": "tiny-routed",
        "query_graph": graph,
        "sequences": {"query": sequences},
        "precisions": {"fp32": record},
        "files": file_records(path),
    }
    return manifest.model_copy(update=update).sealed()
