import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import open_bundle
from bicross.errors import MissingFile, UnsupportedArchitecture, UsageError
from bicross.runtime import BiEncoder, CrossEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.adopt.adoption import AdoptRequest, adopt_folder
from onnx_export.adopt.head import HeadOptions
from onnx_export.tests.edits import edit_json

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
Adopt = Callable[..., Path]


@pytest.fixture
def adopt(tmp_path: Path, sample: Sample) -> Adopt:
    """Adopts a folder into a bundle and gives its path."""

    def adopt(folder: Path, head: HeadOptions | None = None, **more: Any) -> Path:
        request = AdoptRequest(folder, tmp_path / "out", sample, head or HeadOptions(), **more)
        adopt_folder(request, print)
        return request.out

    return adopt


@pytest.fixture
def cross_folder(tmp_path: Path) -> Path:
    """A folder as the hub's: graph, tokenizer, config, nothing of ours."""
    return stripped(TINY / "tiny-cross", tmp_path / "cross")


@pytest.fixture
def bi_folder(tmp_path: Path) -> Path:
    return stripped(TINY / "tiny-bi", tmp_path / "bi")


def stripped(bundle: Path, target: Path) -> Path:
    shutil.copytree(bundle, target)
    for name in ("manifest.json", "goldens.json"):
        (target / name).unlink()
    return target


def test_adopted_cross_encoder_gives_the_graphs_own_numbers(
    adopt: Adopt, cross_folder: Path, sample: Sample
) -> None:
    bundle = open_bundle(adopt(cross_folder))
    assert bundle.manifest.precisions["fp32"].parity == "not measured"
    moved = bundle.manifest.precisions["fp32"].moved_by_batch
    assert moved is not None
    assert moved <= bundle.goldens.bounds["fp32"].max_abs_diff
    assert bundle.manifest.source.model == "cross"
    ours = CrossEncoder.load(bundle).score(sample.queries[0], sample.passages)
    original = CrossEncoder.load(open_bundle(TINY / "tiny-cross"))
    reference = original.score(sample.queries[0], sample.passages)
    assert abs(ours - reference).max() == 0


def test_adopted_bi_encoder_pools_and_prompts_as_its_files_say(
    adopt: Adopt, bi_folder: Path, sample: Sample
) -> None:
    bundle = open_bundle(adopt(bi_folder))
    original = open_bundle(TINY / "tiny-bi")
    assert bundle.manifest.embedding == original.manifest.embedding
    ours = BiEncoder.load(bundle).encode(sample.queries, "query")
    reference = BiEncoder.load(original).encode(sample.queries, "query")
    assert abs(ours - reference).max() < 1e-6


def test_pooling_outside_the_graph_is_put_into_it(
    adopt: Adopt, bi_folder: Path, sample: Sample
) -> None:
    forget_pooled_output(bi_folder / "onnx" / "model.onnx")
    bundle = open_bundle(adopt(bi_folder))
    ours = BiEncoder.load(bundle).encode(sample.queries, "query")
    reference = BiEncoder.load(open_bundle(TINY / "tiny-bi")).encode(sample.queries, "query")
    assert abs(ours - reference).max() < 1e-6


def forget_pooled_output(file: Path) -> None:
    """Leaves the graph with its token embeddings alone, as most of the hub's."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(file)
    for node in model.graph.node:
        node.output[:] = ["was_" + name if name == "sentence_embedding" else name
                          for name in node.output]  # fmt: skip
    (pooled,) = [value for value in model.graph.output if value.name == "sentence_embedding"]
    model.graph.output.remove(pooled)
    onnx.save_model(model, file)


def test_pooling_that_no_file_names_is_asked_for(adopt: Adopt, bi_folder: Path) -> None:
    forget_pooled_output(bi_folder / "onnx" / "model.onnx")
    (bi_folder / "modules.json").unlink()
    with pytest.raises(UsageError, match="--pooling cls or mean"):
        adopt(bi_folder)
    with pytest.raises(UsageError, match="--normalize or --no-normalize"):
        adopt(bi_folder, HeadOptions(pooling="mean"))
    path = adopt(bi_folder, HeadOptions(pooling="mean", normalize=True))
    assert open_bundle(path).manifest.embedding is not None


def test_pooling_against_the_folders_own_is_refused(adopt: Adopt, bi_folder: Path) -> None:
    with pytest.raises(UsageError, match="--pooling cls: the folder's own files say mean"):
        adopt(bi_folder, HeadOptions(pooling="cls"))


def test_projection_outside_the_graph_is_refused(adopt: Adopt, bi_folder: Path) -> None:
    forget_pooled_output(bi_folder / "onnx" / "model.onnx")
    rows = json.loads((bi_folder / "modules.json").read_text())
    dense = {"idx": 9, "name": "9", "path": "9_Dense", "type": "sentence_transformers.models.Dense"}
    (bi_folder / "modules.json").write_text(json.dumps([*rows, dense]))
    with pytest.raises(UnsupportedArchitecture, match="Dense"):
        adopt(bi_folder)


def test_missing_tokenizer_is_named_and_nothing_left(
    adopt: Adopt, cross_folder: Path, tmp_path: Path
) -> None:
    (cross_folder / "tokenizer.json").unlink()
    with pytest.raises(MissingFile, match=r"tokenizer\.json"):
        adopt(cross_folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cross"]


def test_label_count_against_the_graphs_is_refused(adopt: Adopt, cross_folder: Path) -> None:
    edit_json(cross_folder, "config.json", id2label={"0": "no", "1": "yes"})
    with pytest.raises(UnsupportedArchitecture, match="2 labels but the graph gives 1"):
        adopt(cross_folder, HeadOptions(label="yes"))


def test_missing_config_that_cannot_be_completed_is_named(adopt: Adopt, cross_folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    file = cross_folder / "onnx" / "model.onnx"
    model = onnx.load(file)
    renamed = {tensor.name: f"w{n}" for n, tensor in enumerate(model.graph.initializer)}
    for tensor in model.graph.initializer:
        tensor.name = renamed[tensor.name]
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    onnx.save_model(model, file)
    (cross_folder / "config.json").unlink()
    with pytest.raises(MissingFile, match=r"no config\.json.*cannot be completed"):
        adopt(cross_folder)


def test_adopted_bundle_has_a_digest_of_its_graphs_bytes(adopt: Adopt, cross_folder: Path) -> None:
    first = open_bundle(adopt(cross_folder)).manifest
    again = open_bundle(adopt(cross_folder, force=True)).manifest
    assert first.digest == again.digest
    shorter = open_bundle(adopt(cross_folder, force=True, max_tokens=48)).manifest
    assert shorter.max_tokens == 48
    assert shorter.digest != first.digest


def test_query_that_leaves_no_room_for_a_passage_is_the_callers_to_shorten(
    adopt: Adopt, cross_folder: Path
) -> None:
    with pytest.raises(UsageError, match=r"sample does not fit.*the model takes 16"):
        adopt(cross_folder, max_tokens=16)
