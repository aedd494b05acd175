"""Token embeddings completed to vectors, against numpy's own arithmetic."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.onnx_folder import OnnxGraph, open_graph
from onnx_export.adopt.pooled_graph import complete_graph
from onnx_export.adopt.pooling_nodes import POOLINGS
from onnx_export.adopt.tail import Dense, LayerNorm, Normalize, TailModule

HIDDEN = 4
Array = npt.NDArray[np.float32]
# Padding on the right, none, and on the left.
MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1]], np.int64)
IDS = np.array([[7, 8, 0, 0], [3, 4, 5, 6], [0, 9, 10, 11]], np.int64)


def token_graph(
    folder: Path, output: str = "last_hidden_state", opset: int = 18, kind: int = TensorProto.FLOAT
) -> Path:
    """input_ids [b, l] to floats [b, l, 4]: an embedding table as a whole model."""
    table = np.random.default_rng(3).normal(size=(50, HIDDEN)).astype(np.float32)
    sizes = ["batch", "length"]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], [output])],
        "tokens",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, sizes)
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info(output, kind, [*sizes, HIDDEN])],
        [helper.make_tensor("table", kind, table.shape, table.ravel())],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save_model(
        helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "model.onnx"
    )
    return folder


def run(opened: OnnxGraph, output: str, **more: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """The graph's own output and the completed one."""
    session = onnxruntime.InferenceSession(opened.model.SerializeToString())
    feeds = {"input_ids": IDS, "attention_mask": MASK, **more}
    own, found = session.run([opened.model.graph.output[0].name, output], feeds)
    return np.asarray(own, np.float32), found


def vectors_of(folder: Path, pooling: str, *tail: TailModule) -> tuple[Array, Array]:
    opened = open_graph(folder)
    return run(opened, complete_graph(opened, pooling, tail))


EXPECTED: dict[str, Callable[[Array], Array]] = {
    "mean": lambda rows: rows.mean(axis=0),
    "cls": lambda rows: rows[0],
    "max": lambda rows: rows.max(axis=0),
    "mean_sqrt_len_tokens": lambda rows: rows.sum(axis=0) / np.sqrt(np.float32(len(rows))),
    "weightedmean": lambda rows: np.average(rows, axis=0, weights=np.arange(1, len(rows) + 1)),
    "lasttoken": lambda rows: rows[-1],
}


def expected(tokens: Array, pooling: str, mask: npt.NDArray[np.int64] = MASK) -> Array:
    rows = [tokens[row][mask[row] == 1] for row in range(len(mask))]
    parts = [[EXPECTED[name](row) for name in pooling.split("+")] for row in rows]
    return np.array([np.concatenate(row) for row in parts], np.float32)


@pytest.mark.parametrize("opset", [11, 13, 17, 18, 20])
@pytest.mark.parametrize("pooling", [*POOLINGS, "cls+mean", "mean+max+lasttoken"])
def test_pooling_leaves_padding_out_on_either_side(
    tmp_path: Path, opset: int, pooling: str
) -> None:
    tokens, vectors = vectors_of(token_graph(tmp_path, opset=opset), pooling)
    assert vectors.shape == (3, HIDDEN * len(pooling.split("+")))
    assert np.abs(vectors - expected(tokens, pooling)).max() < 1e-6


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_prompt_is_left_out_by_a_mask_of_its_own(tmp_path: Path, pooling: str) -> None:
    opened = open_graph(token_graph(tmp_path))
    output = complete_graph(opened, pooling, (), with_prompt=False)
    without = MASK.copy()
    without[1, 0] = without[2, 1] = 0
    tokens, vectors = run(opened, output, pooling_mask=without)
    wanted = expected(tokens, pooling, without)
    if pooling == "weightedmean":
        # The tokens that remain keep the weights of their places.
        wanted = np.array(
            [
                np.average(tokens[row], axis=0, weights=np.cumsum(MASK[row]) * without[row])
                for row in range(len(MASK))
            ],
            np.float32,
        )
    assert np.abs(vectors - wanted).max() < 1e-6


@pytest.mark.parametrize("opset", [8, 10])
def test_mean_needs_no_operator_that_is_younger_than_opset_8(tmp_path: Path, opset: int) -> None:
    tokens, vectors = vectors_of(token_graph(tmp_path, opset=opset), "mean", Normalize())
    wanted = expected(tokens, "mean")
    assert np.abs(vectors - wanted / np.linalg.norm(wanted, axis=1, keepdims=True)).max() < 1e-6


def test_pooling_that_the_graphs_opset_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match="opset 10 has no CumSum"):
        vectors_of(token_graph(tmp_path, opset=10), "lasttoken")


def test_modules_after_the_pooling_are_added_in_their_order(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    weight, bias, scale = (
        random.normal(size=size).astype(np.float32) for size in ((3, HIDDEN), (3,), (3,))
    )
    tail = (Dense(weight, bias, "Tanh"), LayerNorm(scale, bias), Normalize())
    tokens, vectors = vectors_of(token_graph(tmp_path), "mean", *tail)
    projected = np.tanh(expected(tokens, "mean") @ weight.T + bias)
    centred = projected - projected.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5) * scale + bias
    wanted = normed / np.linalg.norm(normed, axis=1, keepdims=True)
    assert np.abs(vectors - wanted).max() < 1e-6


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("Identity", lambda x: x),
        ("ReLU", lambda x: np.maximum(x, 0)),
        ("Sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("GELU", lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))),
    ],
)
def test_dense_has_its_activation(
    tmp_path: Path, activation: str, function: Callable[[Array], Array]
) -> None:
    weight = np.eye(HIDDEN, dtype=np.float32) * 3
    dense = Dense(weight, np.zeros(0, np.float32), activation)
    tokens, vectors = vectors_of(token_graph(tmp_path), "cls", dense)
    assert np.abs(vectors - function(expected(tokens, "cls") * 3)).max() < 1e-6


def test_pooled_output_keeps_its_static_width(tmp_path: Path) -> None:
    opened = open_graph(token_graph(tmp_path))
    complete_graph(opened, "mean", (Normalize(),))
    last = opened.model.graph.output[-1]
    assert last.name == "sentence_embedding"
    assert last.type.tensor_type.shape.dim[-1].dim_value == HIDDEN


def test_graph_that_pools_is_left_alone_or_normalised(tmp_path: Path) -> None:
    opened = open_graph(token_graph(tmp_path))
    complete_graph(opened, "mean", ())
    onnx.save_model(opened.model, tmp_path / "model.onnx")
    pooled = open_graph(tmp_path)
    before = pooled.model.SerializeToString()
    assert complete_graph(pooled, "inside", ()) == "sentence_embedding"
    assert pooled.model.SerializeToString() == before
    _, vectors = run(pooled, complete_graph(pooled, "inside", (Normalize(),)))
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_half_precision_ends_as_float32(tmp_path: Path) -> None:
    folder = token_graph(tmp_path, kind=TensorProto.FLOAT16)
    tokens, vectors = vectors_of(folder, "mean", Normalize())
    wanted = expected(tokens, "mean")
    assert vectors.dtype == np.float32
    assert np.abs(vectors - wanted / np.linalg.norm(wanted, axis=1, keepdims=True)).max() < 1e-6


def test_only_output_is_taken_whatever_its_name(tmp_path: Path) -> None:
    tokens, vectors = vectors_of(token_graph(tmp_path, "output_0"), "cls")
    assert np.array_equal(vectors, expected(tokens, "cls"))


def test_graph_without_a_known_output_is_refused(tmp_path: Path) -> None:
    opened = open_graph(token_graph(tmp_path, "mystery"))
    opened.model.graph.output.extend([opened.model.graph.output[0]])
    with pytest.raises(UnsupportedArchitecture, match=r"none of the outputs last_hidden_state"):
        complete_graph(opened, "mean", ())
