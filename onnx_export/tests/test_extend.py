import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.errors import UsageError
from bicross.runtime import load_encoder, self_test
from bicross.runtime.ranking.samples import Sample
from onnx_export.extend import Extension, extend_bundle
from onnx_export.source.hub import ModelFolder

pytestmark = pytest.mark.torch


@pytest.fixture
def bundle(models: Any, export: Callable[..., Bundle], tmp_path: Path) -> Bundle:
    shutil.copytree(export(models.cross(1)).path, tmp_path / "bundle")
    return open_bundle(tmp_path / "bundle")


def asked(bundle: Bundle, folder: Path, sample: Sample, *precisions: str) -> Extension:
    return Extension(bundle, ModelFolder(folder, folder.name), sample, precisions)


def test_bundle_gains_a_precision_and_keeps_its_digest_and_fp32(
    bundle: Bundle, models: Any, sample: Sample
) -> None:
    manifest, refused = extend_bundle(asked(bundle, models.cross(1), sample, "fp16"), print)
    found = open_bundle(bundle.path)
    assert refused is None
    assert found.manifest == manifest
    assert found.manifest.digest == bundle.manifest.digest
    assert found.manifest.precisions.keys() == {"fp32", "fp16"}
    assert found.manifest.files["onnx/model.onnx"] == bundle.manifest.files["onnx/model.onnx"]
    self_test(load_encoder(found, "fp16"), found)
    assert "fp16" in (bundle.path / "README.md").read_text()


def test_another_model_is_refused_and_the_bundle_untouched(
    bundle: Bundle, models: Any, sample: Sample
) -> None:
    before = (bundle.path / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="name its own model"):
        extend_bundle(asked(bundle, models.cross(2), sample, "fp16"), print)
    assert (bundle.path / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("names", "message"),
    [((), "nothing to add"), (("bf16", "bf16x"), "has bf16 already")],
    ids=["none", "one that is there"],
)
def test_what_cannot_be_added_is_said(
    names: tuple[str, ...], message: str, bundle: Bundle, models: Any, sample: Sample
) -> None:
    known, _ = extend_bundle(asked(bundle, models.cross(1), sample, "bf16"), print)
    assert "bf16" in known.precisions
    with pytest.raises(UsageError, match=message):
        extend_bundle(asked(open_bundle(bundle.path), models.cross(1), sample, *names), print)


def test_without_fp32_there_is_nothing_to_compare_with(
    bundle: Bundle, models: Any, sample: Sample
) -> None:
    raw = json.loads((bundle.path / "manifest.json").read_text())
    raw["precisions"] = {"int8": raw["precisions"]["fp32"]}
    (bundle.path / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(UsageError, match="has no fp32 graph to make others from"):
        extend_bundle(asked(open_bundle(bundle.path), models.cross(1), sample, "fp16"), print)
