"""What runs a model keeps to itself that it did."""

import os
import subprocess
import sys
from pathlib import Path

BUNDLE = Path(__file__).parents[1] / "bundles" / "tiny-bi"
RUN = """
import sys
from pathlib import Path
from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder
print(BiEncoder.load(open_bundle(Path(sys.argv[1]))).encode(["bread"], "query").shape)
"""


def test_a_model_that_runs_leaves_no_store_of_events(tmp_path: Path) -> None:
    """What onnxruntime would send is kept below the home folder."""
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", RUN, BUNDLE],
        env=environment | {"HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "(1, 16)\n"
    assert list(tmp_path.rglob("*")) == []
