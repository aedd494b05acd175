"""A pickle that runs code when it is read is never read: by name, beside, or in disguise."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.errors import NotARegularFile, PickleRefused, UnsupportedArchitecture
from bicross.runtime.ranking.samples import Sample
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import find_model
from onnx_export.source.spec import Options

pytestmark = pytest.mark.torch


class Attack:
    """Makes the folder `trace` when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "the-attack-ran"


@pytest.fixture
def attack(trace: Path) -> bytes:
    return pickle.dumps(Attack(trace))


@pytest.fixture
def folder(models: Any, tmp_path: Path) -> Path:
    target = tmp_path / "model"
    shutil.copytree(models.embedding("mean", dense=True), target)
    return target


def export(folder: Path, out: Path, sample: Sample) -> None:
    found = find_model(str(folder), trust_remote_code=False)
    export_model(Request(found, out, sample, Options()), print)


def test_attack_would_run_if_it_were_read(attack: bytes, trace: Path) -> None:
    pickle.loads(attack)  # noqa: S301  that this is dangerous is what is shown
    assert trace.is_dir()


@pytest.mark.parametrize("part", ["", "2_Dense/"], ids=["transformer", "module"])
def test_pickle_in_place_of_safetensors_is_refused_by_name(
    folder: Path, attack: bytes, trace: Path, part: str
) -> None:
    (folder / part / "model.safetensors").unlink()
    (folder / part / "pytorch_model.bin").write_bytes(attack)
    with pytest.raises(PickleRefused, match=rf"{part}pytorch_model\.bin is a pickle.*safetensors"):
        find_model(str(folder), trust_remote_code=False)
    assert not trace.exists()


def test_pickle_beside_safetensors_is_neither_read_nor_copied(
    folder: Path, attack: bytes, trace: Path, tmp_path: Path, sample: Sample
) -> None:
    for part in (folder, folder / "2_Dense"):
        (part / "pytorch_model.bin").write_bytes(attack)
    for name in ("training_args.bin", "optimizer.pt", "scheduler.pkl"):
        (folder / name).write_bytes(attack)
    export(folder, tmp_path / "out", sample)
    assert not trace.exists()
    assert {Path(name).suffix for name in open_bundle(tmp_path / "out").manifest.files} <= {
        ".json", ".md", ".onnx", ".safetensors", ".txt"
    }  # fmt: skip


@pytest.mark.parametrize("part", ["", "2_Dense/"], ids=["transformer", "module"])
def test_pickle_that_is_called_safetensors_is_no_model(
    folder: Path, attack: bytes, trace: Path, tmp_path: Path, sample: Sample, part: str
) -> None:
    (folder / part / "model.safetensors").write_bytes(attack)
    with pytest.raises(UnsupportedArchitecture, match="model cannot be loaded"):
        export(folder, tmp_path / "out", sample)
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_link_to_another_file_of_this_machine_is_not_copied_into_a_bundle(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("not the model's")
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "README.md").symlink_to(tmp_path / "secret")
    with pytest.raises(NotARegularFile, match=r"README\.md is a link to a file outside"):
        find_model(str(folder), trust_remote_code=False)


def test_exported_dense_lies_in_the_bundle_as_safetensors(
    models: Any, export: Callable[..., Bundle]
) -> None:
    bundle = export(models.embedding("mean", dense=True))
    assert "2_Dense/model.safetensors" in bundle.manifest.files
