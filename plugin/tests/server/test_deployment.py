"""`bicross serve --config`: a deployment's engine and precision reach what the server reports."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from bicross.runtime import installed_engines

BUNDLES = Path(__file__).parents[1] / "bundles"
LONG_S = 60.0


@pytest.fixture
def two_precisions(tmp_path: Path) -> Path:
    """tiny-bi, whose float32 graph is offered as `int8` too, and proves itself as that."""
    bundle = shutil.copytree(BUNDLES / "tiny-bi", tmp_path / "tiny-bi")
    goldens = json.loads((bundle / "goldens.json").read_text())
    goldens["bounds"]["int8"] = goldens["bounds"]["fp32"]
    written = json.dumps(goldens).encode()
    (bundle / "goldens.json").write_bytes(written)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["goldens.json"] = {
        "sha256": hashlib.sha256(written).hexdigest(),
        "size": len(written),
    }
    manifest["precisions"]["int8"] = manifest["precisions"]["fp32"]
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


def models_served(*arguments: str) -> dict[str, dict[str, Any]]:
    """What a server started with `arguments` says of its models, all of them ready, by id."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BICROSS_")}
    command = [str(Path(sys.executable).with_name("bicross")), "serve", "--port", "0", *arguments]
    process = subprocess.Popen(  # noqa: S603  our own command line
        [*command, "--threads", "1"], env=clean, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        said = ""
        while " at http" not in said or said.count(": ready;") < 2:
            line = process.stderr.readline()
            assert line, said
            said += line
        port = said.partition(" at http://127.0.0.1:")[2].split()[0]
        listed = httpx.get(f"http://127.0.0.1:{port}/v1/models", timeout=LONG_S).json()["data"]
        assert all(model["ready"] for model in listed)
        return {model["id"]: model for model in listed}
    finally:
        process.terminate()
        process.communicate(timeout=LONG_S)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_model_runs_as_its_entry_says_and_the_others_by_default(
    engine: str, two_precisions: Path, tmp_path: Path
) -> None:
    if engine not in installed_engines():
        pytest.skip(f"{engine} is not installed: its extra is bicross[{engine}]")
    config = tmp_path / "bicross.toml"
    config.write_text(
        f'[models.finder]\nmodel_id = "tiny-bi"\nengine = "{engine}"\nprecision = "int8"\n'
    )
    served = models_served(
        str(two_precisions), str(BUNDLES / "tiny-cross"), "--config", str(config)
    )
    pairs = {name: (model["engine"], model["precision"]) for name, model in served.items()}
    assert pairs == {"tiny-bi": (engine, "int8"), "tiny-cross": ("onnxruntime", "fp32")}


def test_what_is_said_on_the_command_line_goes_before_the_file(
    two_precisions: Path, tmp_path: Path
) -> None:
    config = tmp_path / "bicross.toml"
    config.write_text('[models.finder]\nmodel_id = "tiny-bi"\nprecision = "int8"\n')
    served = models_served(
        str(two_precisions),
        str(BUNDLES / "tiny-cross"),
        *("--config", str(config), "--precision", "fp32"),
    )
    assert {model["precision"] for model in served.values()} == {"fp32"}
