from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from bicross.errors import UnsupportedArchitecture
from onnx_export.adopt.onnx_folder import open_graph
from onnx_export.adopt.pooled_graph import complete_graph

HIDDEN = 4


def token_graph(folder: Path, output: str = "last_hidden_state", opset: int = 18) -> Path:
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
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [*sizes, HIDDEN])],
        [helper.make_tensor("table", TensorProto.FLOAT, table.shape, table.ravel())],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save_model(
        helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "model.onnx"
    )
    return folder


def run(folder: Path, pooling: str, *, normalize: bool) -> tuple[np.ndarray, np.ndarray]:
    """Token embeddings and vectors of two rows, the second one padded, and one row alone."""
    opened = open_graph(folder)
    name = complete_graph(opened, pooling, normalize=normalize)
    session = onnxruntime.InferenceSession(opened.model.SerializeToString())
    ids = np.array([[3, 4, 5, 6], [7, 8, 0, 0]], np.int64)
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], np.int64)
    feeds = {"input_ids": ids, "attention_mask": mask}
    tokens, vectors = session.run([opened.model.graph.output[0].name, name], feeds)
    assert vectors.shape == (2, HIDDEN)
    return tokens, vectors


@pytest.mark.parametrize("opset", [11, 13, 17, 18, 20])
@pytest.mark.parametrize("normalize", [True, False])
def test_mean_leaves_padding_out(tmp_path: Path, opset: int, normalize: bool) -> None:
    tokens, vectors = run(token_graph(tmp_path, opset=opset), "mean", normalize=normalize)
    expected = np.stack([tokens[0].mean(axis=0), tokens[1, :2].mean(axis=0)])
    if normalize:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(vectors - expected).max() < 1e-6


@pytest.mark.parametrize("opset", [11, 18])
def test_cls_is_the_first_token(tmp_path: Path, opset: int) -> None:
    tokens, vectors = run(token_graph(tmp_path, opset=opset), "cls", normalize=False)
    assert np.array_equal(vectors, tokens[:, 0])


def test_pooled_output_keeps_its_static_width(tmp_path: Path) -> None:
    opened = open_graph(token_graph(tmp_path))
    complete_graph(opened, "mean", normalize=True)
    last = opened.model.graph.output[-1]
    assert last.name == "sentence_embedding"
    assert last.type.tensor_type.shape.dim[-1].dim_value == HIDDEN


def test_graph_that_pools_is_left_alone_or_normalised(tmp_path: Path) -> None:
    opened = open_graph(token_graph(tmp_path))
    complete_graph(opened, "mean", normalize=False)
    onnx.save_model(opened.model, tmp_path / "model.onnx")
    pooled = open_graph(tmp_path)
    before = pooled.model.SerializeToString()
    assert complete_graph(pooled, "inside", normalize=False) == "sentence_embedding"
    assert pooled.model.SerializeToString() == before
    _, vectors = run(tmp_path, "inside", normalize=True)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_graph_without_a_known_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture, match=r"none of the outputs last_hidden_state"):
        complete_graph(open_graph(token_graph(tmp_path, "mystery")), "mean", normalize=True)
