"""What runs a model keeps to itself that it did."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bicross.runtime import installed_engines

BUNDLE = Path(__file__).parents[1] / "bundles" / "tiny-bi"
RUN = """
import sys
from pathlib import Path
from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder
encoder = BiEncoder.load(open_bundle(Path(sys.argv[1])), engine=sys.argv[2])
print(encoder.encode(["bread"], "query").shape)
print([name for name in sys.modules if "telemetry" in name])
"""


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_model_that_runs_leaves_no_store_of_events(engine: str, tmp_path: Path) -> None:
    """What onnxruntime would send is kept below the home folder; OpenVINO would send at once."""
    if engine not in installed_engines():
        pytest.skip(f"{engine} is not installed: its extra is bicross[{engine}]")
    unset = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "CI"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", RUN, BUNDLE, engine],
        env=environment | {"HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "(1, 16)\n[]\n"
    assert list(tmp_path.rglob("*")) == []
