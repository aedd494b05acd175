"""The serving install has no torch, and both command lines start in it."""

import subprocess

import pytest
from server_process import SERVING

PYTHON = SERVING.parent / "python"


@pytest.mark.parametrize("package", ["torch", "transformers", "sentence_transformers"])
def test_the_serving_install_lacks(package: str) -> None:
    looked = subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True, check=False)
    assert b"ModuleNotFoundError" in looked.stderr


@pytest.mark.parametrize("command", ["bicross", "onnx-export"])
def test_the_command_line_starts(command: str) -> None:
    helped = subprocess.run(
        [SERVING.parent / command, "--help"], capture_output=True, check=True, text=True
    )
    assert "Usage" in helped.stdout


def test_a_command_that_needs_torch_names_the_extra() -> None:
    tried = subprocess.run(
        [SERVING.parent / "onnx-export", "model", str(PYTHON.parents[1]), "/nonexistent/out"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert tried.returncode == 5
    assert "bicross[export]" in tried.stderr


def test_bicross_help_does_not_load_the_runtime() -> None:
    code = "import sys, bicross.cli; print('onnxruntime' in sys.modules, 'numpy' in sys.modules)"
    loaded = subprocess.run([PYTHON, "-c", code], capture_output=True, check=True, text=True)
    assert loaded.stdout.split() == ["False", "False"]
