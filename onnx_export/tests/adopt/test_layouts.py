"""Folders as the hub, optimum, fastembed and flashrank lay them out, each adopted whole."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from bicross.bundle import Bundle, open_bundle
from bicross.errors import (
    ForbiddenFileType,
    GateFailed,
    MissingFile,
    PickleRefused,
    UnsupportedArchitecture,
    UsageError,
)
from bicross.runtime import BiEncoder, CrossEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.tests.edits import edit_json

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
OURS = ("manifest.json", "goldens.json", "README.md")
Adopt = Callable[..., Bundle]


def own_vectors(sample: Sample) -> np.ndarray:
    encoder = BiEncoder.load(open_bundle(TINY / "tiny-bi"), threads=1)
    return encoder.encode(sample.passages, "passage")


def vectors(bundle: Bundle, sample: Sample, precision: str = "fp32") -> np.ndarray:
    return BiEncoder.load(bundle, precision, threads=1).encode(sample.passages, "passage")


@pytest.mark.parametrize(
    "name", ["model.onnx", "model_optimized.onnx", "flashrank-tiny.onnx", "any_name.onnx"]
)
def test_graph_at_the_root_is_found_by_whatever_name(
    adopt: Adopt, cross: Path, sample: Sample, name: str
) -> None:
    shutil.move(cross / "onnx" / "model.onnx", cross / name)
    bundle = adopt(cross)
    assert set(bundle.manifest.precisions) == {"fp32"}
    ours = CrossEncoder.load(bundle, threads=1).score(sample.queries[0], sample.passages)
    original = CrossEncoder.load(open_bundle(TINY / "tiny-cross"), threads=1)
    assert np.array_equal(ours, original.score(sample.queries[0], sample.passages))


def half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every float32 weight rounded to float16 and cast back: fp16 by its tensors."""
    nodes = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.dims:
            name = tensor.name
            values = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, f"{name}_half"))
            nodes.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    return model


def test_several_precisions_of_one_folder_are_held_to_the_first(
    adopt: Adopt, bi: Path, sample: Sample
) -> None:
    rounded = half(onnx.load(bi / "onnx" / "model.onnx"))
    onnx.save_model(rounded, bi / "onnx" / "model_fp16.onnx")
    bundle = adopt(bi, graphs=("onnx/model.onnx", "onnx/model_fp16.onnx"))
    precisions = bundle.manifest.precisions
    assert precisions["fp32"].parity == "not measured"
    parity = precisions["fp16"].parity
    assert isinstance(parity, dict)
    assert parity["reference"] == "fp32 of the same folder"
    difference = np.abs(vectors(bundle, sample, "fp16") - vectors(bundle, sample)).max()
    assert 0 < difference <= bundle.goldens.bounds["fp16"].max_abs_diff


def test_precision_that_ranks_otherwise_is_refused(adopt: Adopt, bi: Path) -> None:
    wrong = half(onnx.load(bi / "onnx" / "model.onnx"))
    for tensor in wrong.graph.initializer:
        if "word_embeddings" in tensor.name:
            values = numpy_helper.to_array(tensor)[::-1]
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))
    onnx.save_model(wrong, bi / "onnx" / "model_fp16.onnx")
    with pytest.raises(GateFailed, match=r"bi, fp16: Kendall tau .* leave that graph out"):
        adopt(bi, graphs=("onnx/model.onnx", "onnx/model_fp16.onnx"))


def test_two_graphs_of_one_precision_are_a_choice(adopt: Adopt, bi: Path) -> None:
    shutil.copyfile(bi / "onnx" / "model.onnx", bi / "onnx" / "model_O3.onnx")
    with pytest.raises(UsageError, match=r"model_O3\.onnx: model\.onnx is fp32 too"):
        adopt(bi, graphs=("onnx/model.onnx", "onnx/model_O3.onnx"))


def test_external_tensors_come_along_under_the_graphs_name(
    adopt: Adopt, bi: Path, sample: Sample
) -> None:
    model = onnx.load(bi / "onnx" / "model.onnx")
    onnx.save_model(
        model,
        bi / "onnx" / "model.onnx",
        save_as_external_data=True,
        # A suffix that a bundle may not hold.
        location="weights.bin",
        size_threshold=64,
    )
    bundle = adopt(bi)
    assert "onnx/model.onnx.data" in bundle.manifest.files
    assert np.abs(vectors(bundle, sample) - own_vectors(sample)).max() < 1e-6


def test_dense_outside_the_graph_is_put_into_it(
    adopt: Adopt, tokens_only: Path, sample: Sample
) -> None:
    # The first half of each vector: with its length made one that is known from the original.
    weight = 3 * np.eye(8, 16, dtype=np.float32)
    add_dense(tokens_only, activation_function="torch.nn.modules.linear.Identity")
    tensors = {"linear.weight": weight, "linear.bias": np.zeros(8, np.float32)}
    save_file(tensors, tokens_only / "2_Dense" / "model.safetensors")
    bundle = adopt(tokens_only)
    assert bundle.manifest.embedding is not None
    assert bundle.manifest.embedding.dimensions == 8
    wanted = own_vectors(sample)[:, :8]
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert np.abs(vectors(bundle, sample) - wanted).max() < 1e-5
    assert "2_Dense/model.safetensors" in bundle.manifest.files


def add_dense(folder: Path, **config: object) -> None:
    """Between the pooling and the normalisation, in config.json alone."""
    rows = json.loads((folder / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    rows = [*rows[:2], dense, {**rows[2], "idx": 3, "name": "3", "path": "3_Normalize"}]
    (folder / "modules.json").write_text(json.dumps(rows))
    (folder / "2_Dense").mkdir()
    edit_json(folder, "2_Dense/config.json", in_features=16, out_features=8, bias=True, **config)


def test_dense_that_is_pickled_is_refused_with_the_remedy(adopt: Adopt, tokens_only: Path) -> None:
    add_dense(tokens_only)
    (tokens_only / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(PickleRefused, match=r"2_Dense/pytorch_model\.bin.*save_pretrained"):
        adopt(tokens_only)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"activation_function": "torch.nn.modules.activation.ELU"}, "activation .*ELU; added are"),
        ({"activation_function": "os.system"}, r"activation os\.system"),
        ({"use_residual": True}, "does not map the sentence embedding alone"),
        ({"module_input_name": "token_embeddings"}, "does not map the sentence embedding alone"),
    ],
)
def test_dense_that_cannot_be_written_as_nodes_is_refused(
    adopt: Adopt, tokens_only: Path, config: dict[str, object], message: str
) -> None:
    add_dense(tokens_only, **config)
    with pytest.raises(UnsupportedArchitecture, match=message):
        adopt(tokens_only)


def test_graph_without_type_ids_is_fed_without(
    adopt: Adopt, tokens_only: Path, sample: Sample
) -> None:
    file = tokens_only / "onnx" / "model.onnx"
    model = onnx.load(file)
    # Types are all nought in single texts, so that a constant may take their place.
    kept = [value for value in model.graph.input if value.name != "token_type_ids"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.graph.initializer.append(helper.make_tensor("nought", TensorProto.INT64, [], [0]))
    product = helper.make_node("Mul", ["input_ids", "nought"], ["token_type_ids"])
    model.graph.node.insert(0, product)
    onnx.save_model(model, file)
    bundle = adopt(tokens_only)
    assert bundle.manifest.graph.inputs == ("input_ids", "attention_mask")
    assert np.abs(vectors(bundle, sample) - own_vectors(sample)).max() < 1e-6


def test_pooling_without_the_prompt_gets_a_mask_of_its_own(
    adopt: Adopt, tokens_only: Path, sample: Sample
) -> None:
    with_prompt = vectors(adopt(tokens_only), sample)
    edit_json(tokens_only, "1_Pooling/config.json", include_prompt=False)
    bundle = adopt(tokens_only, force=True)
    assert "pooling_mask" in bundle.manifest.graph.inputs
    assert np.abs(vectors(bundle, sample) - with_prompt).max() > 1e-3


def test_output_wider_than_any_model_is_refused(adopt: Adopt, tokens_only: Path) -> None:
    file = tokens_only / "onnx" / "model.onnx"
    model = onnx.load(file)
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 1 << 50
    onnx.save_model(model, file)
    with pytest.raises(UnsupportedArchitecture, match=f"dimensions of {1 << 50}"):
        adopt(tokens_only)


@pytest.mark.parametrize("name", ["../outside.onnx", "/etc/passwd", "config.json", "absent.onnx"])
def test_graph_that_is_none_of_the_folders_is_refused(adopt: Adopt, bi: Path, name: str) -> None:
    with pytest.raises(UsageError, match="has no such"):
        adopt(bi, graphs=(name,))


def test_nothing_is_left_of_a_refused_folder(adopt: Adopt, bi: Path, tmp_path: Path) -> None:
    (bi / "onnx" / "model.onnx").unlink()
    with pytest.raises((MissingFile, ForbiddenFileType)):
        adopt(bi)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bi"]
