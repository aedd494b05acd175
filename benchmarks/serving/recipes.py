"""How each server that is compared is started, and how it wants to be asked."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from benchmarks.serving.load.dialects import Speech
from benchmarks.serving.machine import cpu_flags
from benchmarks.serving.models import Models
from benchmarks.serving.passages import ROOT
from benchmarks.serving.variants import BF16
from bicross.bundle import open_bundle

# The same few texts come again and again, and nobody else's server keeps what it computed; nor was
# it tuned on this machine before.
NO_CACHES = {
    "BICROSS_QUERY_CACHE_MB": "0",
    "BICROSS_SCORE_CACHE_MB": "0",
    "XDG_CACHE_HOME": os.devnull,
}


@dataclass(frozen=True)
class Recipe:
    """How a server is started. `{port}` in `command` is a free port; `ready` answers 200 then.

    One that begins all it is sent at once, without `bounds`, is not flooded: the plain server took
    20 GB within a minute.
    """

    name: str
    command: tuple[str, ...]
    speech: Speech
    ready: str = "/health"
    environment: Mapping[str, str] = field(default_factory=dict)
    bounds: bool = True

    @property
    def installed(self) -> bool:
        return Path(self.command[0]).exists()

    def with_environment(self, more: Mapping[str, str]) -> Self:
        return replace(self, environment={**self.environment, **more})


def recipes(models: Models, threads: int) -> list[Recipe]:
    """Ours as it is installed, and by OpenVINO, in bfloat16 too where the CPU computes in it."""
    bundles = [models.bi.bundle, models.cross.bundle]
    ours = [_bicross("bicross", bundles, threads)]
    for precision in ("fp32", "bf16") if BF16 & cpu_flags() else ("fp32",):
        name = f"bicross, OpenVINO {precision}"
        ours.append(_bicross(name, bundles, threads, ("openvino", precision)))
    return [*ours, _plain(models, threads), _infinity(models, threads)]


def one_bundle(models: Models, threads: int) -> Recipe:
    """Our server with the bi-encoder alone."""
    return _bicross("bicross, one bundle", [models.bi.bundle], threads)


def _bicross(
    name: str,
    bundles: Sequence[Path],
    threads: int,
    pair: tuple[str, str] = ("onnxruntime", "fp32"),
) -> Recipe:
    command = ROOT / ".venv-serving" / "bin" / "bicross"
    engine, precision = pair
    place = ("--port", "{port}", "--threads", str(threads))
    options = (*place, "--engine", engine, "--precision", precision)
    models = [open_bundle(bundle).manifest.name for bundle in bundles]
    return Recipe(
        name,
        (str(command), "serve", *map(str, bundles), *options),
        Speech("openai", models[0], models[-1], encoding="base64", has_input_type=True),
        ready="/health/ready",
        environment=NO_CACHES,
    )


def _plain(models: Models, threads: int) -> Recipe:
    app = "benchmarks.serving.peers.plain_fastapi:app"
    return Recipe(
        "plain FastAPI + onnxruntime",
        (sys.executable, "-m", "uvicorn", app, "--port", "{port}", "--log-level", "warning"),
        Speech("openai", "bi", "cross"),
        environment={
            "BI_BUNDLE": str(models.bi.plain),
            "CROSS_BUNDLE": str(models.cross.plain),
            "THREADS": str(threads),
        },
        bounds=False,
    )


def _infinity(models: Models, threads: int) -> Recipe:
    """In torch, with what it chooses itself."""
    names = {"bi": models.bi.folder, "cross": models.cross.folder}
    served = [
        part
        for name, folder in names.items()
        for part in ("--model-id", str(folder), "--served-model-name", name)
    ]
    options = "--engine torch --device cpu --dtype float32 --host 127.0.0.1"
    return Recipe(
        "infinity, torch",
        (
            str(ROOT / ".venv-infinity" / "bin" / "infinity_emb"),
            *("v2", *served, *options.split()),
            *("--port", "{port}", "--log-level", "warning"),
        ),
        Speech("openai", "bi", "cross", "/embeddings", "/rerank", encoding="base64"),
        environment={
            "OMP_NUM_THREADS": str(threads),
            "HF_HUB_OFFLINE": "1",
            "DO_NOT_TRACK": "1",
            "INFINITY_ANONYMOUS_USAGE_STATS": "0",
        },
    )
