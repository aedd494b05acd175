"""Reads a folder's path a line, adopts it beside itself, and writes how that ended.

A process of its own, so that a crash inside onnx or onnxruntime is seen as one.
"""

import resource
import sys
from pathlib import Path

from bicross.errors import BicrossError
from bicross.runtime.ranking.samples import read_sample
from onnx_export.adopt.adoption import AdoptRequest, adopt_folder

MEMORY_BYTES = 6 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sample = read_sample()
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        try:
            request = AdoptRequest(folder, folder.parent / "out", sample, force=True)
            adopt_folder(request, lambda _: None)
            outcome = "adopted"
        except BicrossError as error:
            outcome = f"refused by {type(error).__name__}: {error!s}".replace("\n", " ")[:200]
        except Exception as error:  # noqa: BLE001  what may not happen is told
            outcome = f"failed with {type(error).__name__}: {str(error)[:300]!r}"
        print(outcome, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
