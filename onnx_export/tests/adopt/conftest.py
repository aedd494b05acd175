"""The tiny bundles as folders that hold ONNX and nothing of ours."""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.runtime.ranking.samples import Sample

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
OURS = ("manifest.json", "goldens.json", "README.md")
Adopt = Callable[..., Bundle]


@pytest.fixture
def adopt(tmp_path: Path, sample: Sample) -> Adopt:
    """Adopts a folder; the request's other fields may be given."""
    adoption = importlib.import_module("onnx_export.adopt.adoption")

    def adopt(folder: Path, head: Any = None, **more: Any) -> Bundle:
        more |= {} if head is None else {"head": head}
        request = adoption.AdoptRequest(folder, tmp_path / "out", sample, **more)
        adoption.adopt_folder(request, print)
        return open_bundle(request.out)

    return adopt


@pytest.fixture
def bi(tmp_path: Path) -> Path:
    """A bi-encoder as the hub has it: modules.json, tokens and vectors from onnx/model.onnx."""
    folder = tmp_path / "bi"
    shutil.copytree(TINY / "tiny-bi", folder, ignore=shutil.ignore_patterns(*OURS))
    return folder


@pytest.fixture
def tokens_only(bi: Path) -> Path:
    """The same, its graph ending with token embeddings, as most are."""
    onnx = importlib.import_module("onnx")
    model = onnx.load(bi / "onnx" / "model.onnx")
    for node in model.graph.node:
        node.output[:] = [
            "was_pooled" if name == "sentence_embedding" else name for name in node.output
        ]
    del model.graph.output[1]
    onnx.save_model(model, bi / "onnx" / "model.onnx")
    return bi


@pytest.fixture
def cross(tmp_path: Path) -> Path:
    folder = tmp_path / "cross"
    shutil.copytree(TINY / "tiny-cross", folder, ignore=shutil.ignore_patterns(*OURS))
    return folder
