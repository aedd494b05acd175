"""Small models with random weights, saved by the libraries themselves, exported once per run."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.runtime.ranking.samples import Sample, read_sample
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options

HAS_TORCH = importlib.util.find_spec("torch") is not None
NEED_TORCH = [
    "adopt/test_graph_config.py",
    "gate/test_judgements.py",
    "gate/test_parity.py",
    "gate/test_regate.py",
    "test_docs.py",
    "test_extend.py",
    "precision/test_adding.py",
    "precision/test_bounds_and_speed.py",
    "matrix/test_matrix.py",
    "matrix/test_page.py",
    "test_calibration.py",
    "source/test_hostile_models.py",
    "test_early_exit.py",
    "test_own_code.py",
    "test_publish.py",
    "test_trace.py",
    "reference/test_layers.py",
    "reference/test_embedding.py",
    "reference/test_loading.py",
    "reference/test_pipeline.py",
    "reference/test_pair_template.py",
    "reference/test_rerank.py",
    "reference/test_tokenizer_parity.py",
]
HAS_ONNX = importlib.util.find_spec("onnx") is not None
NEED_ONNX = [
    "adopt/test_adopted_files.py",
    "graph/test_gelu_order.py",
    "precision/test_exclusion.py",
    "precision/test_fp16.py",
    "precision/test_names.py",
    "precision/test_rounding.py",
    "adopt/test_adoption.py",
    "adopt/test_fuzz.py",
    "adopt/test_graph_inputs.py",
    "adopt/test_layouts.py",
    "adopt/test_onnx_folder.py",
    "adopt/test_pooled_graph.py",
    "adopt/test_real_weights.py",
    "adopt/test_token_heads.py",
]
collect_ignore = ([] if HAS_TORCH else NEED_TORCH) + ([] if HAS_ONNX else NEED_ONNX)


def quiet(text: str) -> None:
    del text


@pytest.fixture(scope="session")
def narrate() -> Callable[[str], None]:
    return quiet


@pytest.fixture(scope="session")
def sample() -> Sample:
    return read_sample()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Builders of model folders; each is written once."""
    pytest.importorskip("torch", reason="models are built with torch")
    builders = importlib.import_module("onnx_export.tests.tiny_models")
    return builders.TinyModels(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> Callable[..., Bundle]:
    """Exports a folder with options, once for the same two."""
    publish = importlib.import_module("onnx_export.publish")
    made: dict[tuple[Path, Options], Bundle] = {}

    def once(folder: Path, options: Options | None = None) -> Bundle:
        key = (folder, options or Options())
        if key not in made:
            out = tmp_path_factory.mktemp("bundles") / folder.name
            publish.export_model(
                publish.Request(ModelFolder(folder, folder.name), out, sample, key[1]), quiet
            )
            made[key] = open_bundle(out)
        return made[key]

    return once
