"""The two models: as the folders that sentence-transformers loads, and as bundles made of them."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.passages import ROOT, collections_folder
from demo.weights import cache, fetch

BI_ENCODER = "all-MiniLM-L6-v2"
CROSS_ENCODER = "ms-marco-MiniLM-L-12-v2"
# The window is timed on a cross-encoder of the bi-encoder's size, and judged on the whole one.
TIMED_LAYERS = 6


@dataclass(frozen=True)
class Model:
    """`folder` is what sentence-transformers loads, `bundle` what onnx-export made of it; `plain`
    is that with padding in its layers, as the exports of other libraries have it.
    """

    folder: Path
    bundle: Path
    plain: Path

    @property
    def graph(self) -> Path:
        return self.bundle / "onnx" / "model.onnx"

    @property
    def tokenizer(self) -> Path:
        return self.bundle / "tokenizer.json"


@dataclass(frozen=True)
class Models:
    bi: Model
    cross: Model
    whole_cross: Model

    def paths(self) -> dict[str, dict[str, str]]:
        """For a process that is told what to load."""
        return {
            role: {name: str(path) for name, path in vars(model).items()}
            for role, model in vars(self).items()
        }


def make_models() -> Models:
    """From the cache, made by the first run: an export takes about a minute each."""
    base = cache().parent / "benchmarks"
    base.mkdir(parents=True, exist_ok=True)
    whole = _float_cross_encoder(base)
    return Models(
        bi=make_bi_encoder(),
        cross=_exported(_cut(whole, base), base / "bundles" / "ms-marco-MiniLM-L-6-of-12"),
        whole_cross=_exported(whole, base / "bundles" / CROSS_ENCODER),
    )


def make_bi_encoder() -> Model:
    """From the cache, too."""
    base = cache().parent / "benchmarks"
    return _exported(fetch(BI_ENCODER), base / "bundles" / BI_ENCODER)


def _float_cross_encoder(base: Path) -> Path:
    """The published int8 weights as a float checkpoint, by the script that lies beside them."""
    target = base / "float" / CROSS_ENCODER
    if not target.is_dir():
        source = collections_folder().parent / "models"
        folder, making = source / CROSS_ENCODER, _making(target)
        graph = folder / "onnx" / "model_int8.onnx"
        _run([sys.executable, str(source / "dequantize.py"), str(graph), str(folder), str(making)])
        making.rename(target)
    return target


def _cut(whole: Path, base: Path) -> Path:
    """The checkpoint's first layers under its own head, as a checkpoint."""
    target = base / "float" / f"{CROSS_ENCODER}-first-{TIMED_LAYERS}"
    if not target.is_dir():
        from benchmarks.serving.layers import keep_layers  # noqa: PLC0415  torch takes seconds

        making = _making(target)
        keep_layers(whole, making, TIMED_LAYERS)
        making.rename(target)
    return target


def _exported(folder: Path, bundle: Path) -> Model:
    plain = bundle.with_name(f"{bundle.name}-plain")
    for target, options in ((bundle, ()), (plain, ("--keep-padding",))):
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            tool = str(ROOT / ".venv/bin/onnx-export")
            _run([tool, "model", str(folder), str(target), *options])
    return Model(folder, bundle, plain)


def _making(target: Path) -> Path:
    """An empty place beside `target`, so that a run cut short leaves no half model there."""
    making = target.with_suffix(".part")
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    return making


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)  # noqa: S603
