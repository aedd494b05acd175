"""Sparse encoders and late interaction adopted, from their outputs or from one step before."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from bicross.bundle import Bundle, open_bundle
from bicross.errors import UnsupportedArchitecture, UsageError
from bicross.runtime import LateInteractionEncoder, SparseEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.adopt.adoption import AdoptRequest, adopt_folder
from onnx_export.adopt.head import HeadOptions
from onnx_export.adopt.onnx_folder import open_graph
from onnx_export.adopt.token_heads import adopt_late_interaction, adopt_sparse
from onnx_export.tests.edits import edit_json

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
VOCABULARY = 4
MASK = np.array([[1, 1, 0], [1, 1, 1]], np.int64)
Adopt = Callable[..., Bundle]


@pytest.fixture
def adopt(tmp_path: Path, sample: Sample) -> Adopt:
    def adopt(name: str, change: Callable[[Path], None], **more: Any) -> Bundle:
        folder = tmp_path / name
        ours = shutil.ignore_patterns("manifest.json", "goldens.json", "README.md")
        shutil.copytree(TINY / name, folder, ignore=ours)
        change(folder)
        adopt_folder(AdoptRequest(folder, tmp_path / "out", sample, **more), print)
        return open_bundle(tmp_path / "out")

    return adopt


def as_it_is(folder: Path) -> None:
    del folder


def test_adopted_sparse_encoder_gives_the_graphs_own_weights(adopt: Adopt, sample: Sample) -> None:
    bundle = adopt("tiny-sparse", as_it_is)
    assert bundle.manifest.task == "sparse_embedding"
    ours = SparseEncoder.load(bundle, threads=1).encode(sample.passages, "passage")
    original = SparseEncoder.load(open_bundle(TINY / "tiny-sparse"), threads=1)
    for one, other in zip(ours, original.encode(sample.passages, "passage"), strict=True):
        assert np.array_equal(one.indices, other.indices)
        assert np.array_equal(one.weights, other.weights)


def forget_expansion(folder: Path) -> None:
    """Rows of plain texts, as a folder has that names nothing else."""
    file = folder / "config_sentence_transformers.json"
    found = json.loads(file.read_text())
    file.write_text(json.dumps({"model_type": found["model_type"]}))


def test_adopted_late_interaction_gives_a_vector_of_length_one_for_each_token(
    adopt: Adopt, sample: Sample
) -> None:
    bundle = adopt("tiny-late", forget_expansion, head=HeadOptions(normalize=True))
    assert bundle.manifest.task == "late_interaction"
    encoder = LateInteractionEncoder.load(bundle, threads=1)
    original = LateInteractionEncoder.load(open_bundle(TINY / "tiny-late"), threads=1)
    assert encoder.dimensions == original.dimensions
    for rows in encoder.encode(sample.passages, "passage"):
        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-5


def test_normalisation_that_nobody_names_is_asked_for(adopt: Adopt) -> None:
    with pytest.raises(UsageError, match="--normalize or --no-normalize"):
        adopt("tiny-late", forget_expansion)


@pytest.mark.parametrize("key", ["query_length", "skiplist_words"])
def test_rows_that_only_the_models_library_can_make_are_refused(adopt: Adopt, key: str) -> None:
    def change(folder: Path) -> None:
        forget_expansion(folder)
        edit_json(folder, "config_sentence_transformers.json", **{key: [32]})

    with pytest.raises(UnsupportedArchitecture, match=f"names {key}, which no graph holds"):
        adopt("tiny-late", change, head=HeadOptions(normalize=True))


def logits_graph(folder: Path, opset: int = 18) -> Path:
    """input_ids [b, l] to logits [b, l, 4], some of them below 0."""
    table = np.random.default_rng(7).normal(size=(9, VOCABULARY)).astype(np.float32)
    sizes = ["batch", "length"]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["logits"])],
        "mlm",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, sizes)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [*sizes, VOCABULARY])],
        [helper.make_tensor("table", TensorProto.FLOAT, table.shape, table.ravel())],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save_model(
        helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "model.onnx"
    )
    return folder


@pytest.mark.parametrize("opset", [11, 17, 18])
@pytest.mark.parametrize(("activation", "logarithms"), [("relu", 1), ("log1p_relu", 2)])
def test_logits_of_a_language_model_are_pooled_to_weights(
    tmp_path: Path, opset: int, activation: str, logarithms: int
) -> None:
    rows = [{"idx": 0, "path": "1_SpladePooling", "type": "sentence_transformers.SpladePooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(rows))
    (tmp_path / "1_SpladePooling").mkdir()
    edit_json(
        tmp_path,
        "1_SpladePooling/config.json",
        pooling_strategy="max",
        activation_function=activation,
    )
    opened = open_graph(logits_graph(tmp_path, opset))
    head, output = adopt_sparse(tmp_path, opened, HeadOptions())
    assert head.dimensions == VOCABULARY
    session = onnxruntime.InferenceSession(opened.model.SerializeToString())
    feeds = {"input_ids": np.array([[1, 2, 0], [3, 4, 5]], np.int64), "attention_mask": MASK}
    logits, weights = session.run(["logits", output], feeds)
    expected = np.maximum(logits * MASK[:, :, None], 0).max(axis=1)
    for _ in range(logarithms):
        expected = np.log1p(expected)
    assert np.abs(weights - expected).max() < 1e-6


def test_logits_pooled_by_their_sum_are_refused(tmp_path: Path) -> None:
    rows = [{"idx": 0, "path": "1_Pool", "type": "sentence_transformers.SpladePooling"}]
    (tmp_path / "modules.json").write_text(json.dumps(rows))
    (tmp_path / "1_Pool").mkdir()
    edit_json(tmp_path, "1_Pool/config.json", pooling_strategy="sum")
    with pytest.raises(UnsupportedArchitecture, match="SpladePooling by sum of relu"):
        adopt_sparse(tmp_path, open_graph(logits_graph(tmp_path)), HeadOptions())


def test_logits_are_no_pairs_relevance(tmp_path: Path) -> None:
    assert open_graph(logits_graph(tmp_path)).task is None


def test_graph_of_vectors_alone_is_no_late_interaction(tmp_path: Path) -> None:
    sizes: list[str | int | None] = ["batch", 4]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["input_ids"], ["sentence_embedding"])],
        "pooled",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, sizes)],
        [helper.make_tensor_value_info("sentence_embedding", TensorProto.INT64, sizes)],
    )
    onnx.save_model(helper.make_model(graph), tmp_path / "model.onnx")
    options = HeadOptions(normalize=True)
    with pytest.raises(UnsupportedArchitecture, match=r"no output \[batch, length, dimensions\]"):
        adopt_late_interaction(tmp_path, open_graph(tmp_path), options)
