"""Reads a folder's path a line, loads it as a server would, and writes how that ended.

A process of its own, so that a crash inside onnxruntime is seen as one and ends no test run.
"""

import resource
import sys
from pathlib import Path

from bicross.bundle import open_bundle
from bicross.errors import BicrossError
from bicross.runtime import load_encoder, self_test

MEMORY_BYTES = 6 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for line in sys.stdin:
        try:
            bundle = open_bundle(Path(line.rstrip("\n")))
            for precision in bundle.manifest.precisions:
                self_test(load_encoder(bundle, precision, threads=1), bundle)
            outcome = "served"
        except BicrossError as error:
            outcome = f"refused by {type(error).__name__}"
        except Exception as error:  # noqa: BLE001  what may not happen is told
            outcome = f"failed with {type(error).__name__}: {str(error)[:300]!r}"
        print(outcome, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
