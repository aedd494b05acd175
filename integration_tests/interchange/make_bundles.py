"""Writes the bundles that the libraries are tried on: random weights of each head, and real ones.

Runs where torch is: `python integration_tests/interchange/make_bundles.py FOLDER`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from bicross.runtime.ranking.samples import read_sample
from demo.weights import fetch
from onnx_export.adopt.adoption import AdoptRequest, adopt_folder
from onnx_export.adopt.head import HeadOptions
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options
from onnx_export.tests.tiny_models import TinyModels


def say(step: str) -> None:
    print(step, file=sys.stderr)  # noqa: T201


def export(folder: Path, out: Path) -> None:
    options = Options(name=out.name)
    export_model(Request(ModelFolder(folder, folder.name), out, read_sample(), options), say)


def main(out: Path) -> None:
    """What stands there already is left."""
    out.mkdir(parents=True, exist_ok=True)
    made = out.parent / f".{out.name}-models"
    made.mkdir(exist_ok=True)
    tiny = TinyModels(made)
    exported: dict[str, Callable[[], Path]] = {
        "tiny-mean-dense": lambda: tiny.embedding("mean", dense=True),
        "tiny-cls": lambda: tiny.embedding("cls"),
        "tiny-cross-saved": tiny.saved_cross_encoder,
        "all-MiniLM-L6-v2": lambda: fetch("all-MiniLM-L6-v2"),
    }
    for name, folder in exported.items():
        if not (out / name).is_dir():
            export(folder(), out / name)
    adopted = {
        "ms-marco-MiniLM-L12-v2": HeadOptions(),
        "e5-small-v2": HeadOptions(
            pooling="mean", normalize=True, query_prompt="query: ", passage_prompt="passage: "
        ),
    }
    for name, head in adopted.items():
        if not (out / name).is_dir():
            adopt_folder(AdoptRequest(fetch(name), out / name, read_sample(), head, name=name), say)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
