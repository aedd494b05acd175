"""Bundles read by other libraries: what each must give stands in the bundle's goldens.json.

Nothing of bicross is imported: the libraries' pins exclude each other's and ours. The bundles are
the folders below `BICROSS_BUNDLES`, else the committed tiny ones.
"""

import base64
import importlib.util
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

TINY = Path(__file__).parents[2] / "plugin" / "tests" / "bundles"
FOLDER = Path(os.environ.get("BICROSS_BUNDLES", TINY))
NEEDS = {
    "test_fastembed.py": "fastembed",
    "test_sentence_transformers.py": "optimum",
}
collect_ignore = [
    name for name, package in NEEDS.items() if importlib.util.find_spec(package) is None
]
FOUND: list[tuple[str, ...]] = []
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Proven:
    """A bundle at one precision, and what it must give."""

    path: Path
    precision: str
    manifest: dict[str, Any]
    goldens: dict[str, Any]

    @property
    def file(self) -> str:
        return str(self.manifest["precisions"][self.precision]["file"])

    @property
    def queries(self) -> list[str]:
        return list(self.goldens["queries"])

    @property
    def passages(self) -> list[str]:
        return list(self.goldens["passages"])

    def prompt(self, input_type: str) -> str:
        return str(self.manifest["embedding"]["prompts"][input_type])

    def require(self, found: dict[str, FloatArray], library: str) -> None:
        """Every number within the bound that the bundle itself is held to."""
        bound = self.goldens["bounds"][self.precision]["max_abs_diff"]
        difference = max(float(np.abs(found[n] - self._matrix(n)).max()) for n in found)
        cosine = min(_lowest_cosine(found[n], self._matrix(n)) for n in found)
        FOUND.append(
            (
                f"{library} {version(library)}",
                f"{self.path.name}, {self.precision}",
                f"{difference:.2g}",
                f"{bound:.2g}",
                f"{1 - cosine:.2g}",
            )
        )
        assert difference <= bound

    def _matrix(self, name: str) -> FloatArray:
        raw = self.goldens[name]
        flat = np.frombuffer(base64.b64decode(raw["base64"]), "<f4")
        return flat.reshape(-1, raw["columns"])


def _lowest_cosine(ours: FloatArray, reference: FloatArray) -> float:
    a, b = ours.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / norms).min())


def proven_bundles(task: str) -> list[Proven]:
    found = []
    for path in sorted(FOLDER.iterdir()):
        if not (path / "manifest.json").is_file():
            continue
        manifest = json.loads((path / "manifest.json").read_text())
        goldens = json.loads((path / "goldens.json").read_text())
        if manifest["task"] == task and not needs_bicross(manifest):
            found += [Proven(path, name, manifest, goldens) for name in manifest["precisions"]]
    return found


def needs_bicross(manifest: dict[str, Any]) -> bool:
    """What other libraries have no place for: a graph of the queries' own, a mask of what is
    pooled, a pair that is one text.
    """
    masked = "pooling_mask" in manifest["graph"]["inputs"]
    template = (manifest.get("rerank") or {}).get("template")
    return bool(masked or template or manifest.get("query_graph"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, task in (("embedding", "text_embedding"), ("rerank", "rerank")):
        if fixture in metafunc.fixturenames:
            bundles = proven_bundles(task)
            ids = [f"{one.path.name}-{one.precision}" for one in bundles]
            metafunc.parametrize(fixture, bundles, ids=ids)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    header = ("library", "bundle", "largest difference", "bound", "1 - lowest cosine")
    if FOUND:
        for row in (header, ("---",) * len(header), *FOUND):
            terminalreporter.write_line(f"| {' | '.join(row)} |")
