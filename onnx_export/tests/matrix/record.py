"""The whole matrix run and recorded: `python -m onnx_export.tests.matrix.record`.

Every row with every precision on the whole built-in sample, one after another. What was recorded at
this commit stands, so that a run that was cut off goes on; the exit status is 1 where a row failed.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from bicross.errors import BicrossError
from bicross.runtime.ranking.samples import read_sample
from onnx_export.precision.names import PRECISIONS
from onnx_export.tests.matrix import page
from onnx_export.tests.matrix.proving import MIN_COSINE, prove_row
from onnx_export.tests.matrix.results import (
    RECORD,
    MatrixResult,
    PrecisionResult,
    RowResult,
)
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.rows import ROWS
from onnx_export.tests.matrix.workshop import Workshop

TOOLS = ("torch", "transformers", "sentence-transformers", "onnx", "onnxscript", "onnxruntime")
# A hint has no file that this machine's engine could run.
FILES = tuple(name for name, precision in PRECISIONS.items() if precision.hint is None)


def main(named: Collection[str] = ()) -> int:
    """Rows may be named as arguments; then only those are run."""
    sample, commit = read_sample(), _commit()
    rows = _recorded(commit)
    for row in ROWS:
        known = rows.get(row.id)
        if row.id not in named if named else known is not None and not known.failure:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            rows[row.id] = _result(row, Workshop(Path(folder)))
        _say(f"{row.id}: {rows[row.id].failure or 'proven'}, {time.monotonic() - began:.0f} s")
        ordered = {row.id: rows[row.id] for row in ROWS if row.id in rows}
        result = MatrixResult(
            commit=commit,
            sample=str(sample),
            versions={name: version(name) for name in TOOLS},
            rows=ordered,
        )
        result.write()
        page.write(result)
    return int(any(row.failure for row in rows.values()))


def _result(row: Row, workshop: Workshop) -> RowResult:
    found = RowResult(architecture=row.architecture, head=row.head)
    tried = FILES if row.precisions is None else row.precisions
    try:
        proof = prove_row(row, workshop, read_sample(), tried)
    except BicrossError as error:
        return found.model_copy(update={"failure": f"{type(error).__name__}: {error}"})
    manifest = proof.bundle.manifest
    precisions = {
        name: PrecisionResult(cosine_gap=1 - agreement.min_cosine, tau=agreement.min_tau)
        for name, agreement in proof.agreements.items()
    }
    exact = proof.agreements["fp32"]
    close = exact.min_cosine >= MIN_COSINE and exact.is_same_order
    return RowResult(
        architecture=row.architecture,
        head=row.head,
        task=manifest.task,
        opset=manifest.graph.opset,
        precisions=precisions,
        refused=tuple(name for name in tried if name not in precisions),
        failure="" if close else f"cosine {exact.min_cosine}, tau {exact.min_tau}",
    )


def _recorded(commit: str) -> dict[str, RowResult]:
    if not RECORD.is_file():
        return {}
    found = MatrixResult.read()
    return dict(found.rows) if found.commit == commit else {}


def _commit() -> str:
    """Of the tree that is tested; changes that no commit holds are said."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "onnx_export", "plugin/bicross")
    return f"{head} with changes" if changed else head


def _git(*words: str) -> str:
    git = shutil.which("git") or "git"
    root = Path(__file__).parents[3]
    done = subprocess.run([git, *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
