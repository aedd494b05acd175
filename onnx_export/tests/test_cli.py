"""What the caller sees: exit statuses, one line on stderr, and nothing left behind."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bicross.bundle import Bundle
from bicross.errors import EnvironmentProblem
from onnx_export import cli
from onnx_export.tests.edits import edit_json

NEEDS_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed"
)


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`onnx-export` with arguments, in this process; SIGTERM is given back afterwards."""
    monkeypatch.setenv("COLUMNS", "500")
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["onnx-export", *map(str, arguments)])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, before)
        captured = capfd.readouterr()
        return Ran(status, captured.out, captured.err)

    return run


@pytest.mark.parametrize("command", [[], ["model"], ["check"], ["add"], ["adopt"]])
def test_help_needs_no_heavy_package(command: list[str]) -> None:
    script = (
        "import sys; sys.argv = ['onnx-export', *sys.argv[1:]]\n"
        "from onnx_export import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'onnx', 'onnxruntime', 'numpy'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: onnx-export" in done.stdout


def test_missing_package_names_the_extra() -> None:
    with pytest.raises(EnvironmentProblem, match=r"no_such.*pip install 'bicross\[export\]'"):
        cli.require_packages(("json", "no_such"), "export")


def test_unknown_flag_is_2_with_the_nearest(run: Run) -> None:
    found = run("model", "m", "out", "--tsk", "rerank")
    assert found.status == 2
    assert "--tsk" in found.err
    assert "--task" in found.err


def test_unknown_task_is_2_with_the_allowed(run: Run) -> None:
    found = run("model", "m", "out", "--task", "sparse")
    assert found.status == 2
    assert "text_embedding" in found.err


@NEEDS_TORCH
@pytest.mark.parametrize("command", ["model", "add"])
def test_unknown_precision_is_2_with_the_allowed(run: Run, command: str) -> None:
    found = run(command, "m", *["out"] * (command == "model"), "--precision", "int3")
    assert found.status == 2
    assert "allowed are fp32, fp16, bf16, int8, int8_static, int8_weight, int4_weight" in found.err


@NEEDS_TORCH
def test_refused_precision_is_3_with_its_worst_case_and_the_others_are_written(
    run: Run, models: Any, tmp_path: Path
) -> None:
    found = run(
        "model", models.embedding("cls"), tmp_path / "out", "--precision", "int4_weight", "--json"
    )
    assert found.status == 3
    assert "int4_weight was not written. The bundle was written" in found.err
    assert "worst swap: query " in found.err
    assert list(json.loads(found.out)["precisions"]) == ["fp32"]
    added = run("add", tmp_path / "out", "--model", models.embedding("cls"), "--precision", "fp16")
    assert added.status == 0, added.err
    assert "fp16 mean_kendall_tau.lower_95" in added.out


@NEEDS_TORCH
def test_absent_model_is_2_and_named(run: Run, tmp_path: Path) -> None:
    found = run("model", tmp_path / "absent", tmp_path / "out")
    assert found.status == 2
    assert f"error: {tmp_path / 'absent'} is neither a folder" in found.err
    assert list(tmp_path.iterdir()) == []


@NEEDS_TORCH
def test_output_that_holds_something_is_2_and_untouched(
    run: Run, models: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    found = run("model", models.cross(1), tmp_path)
    assert (found.status, [file.name for file in tmp_path.iterdir()]) == (2, ["mine"])
    assert "--force" in found.err


def changed(folder: Path, target: Path, **config: object) -> Path:
    shutil.copytree(folder, target)
    edit_json(target, "config.json", **config)
    return target


@NEEDS_TORCH
def test_unsupported_architecture_is_4_and_named(run: Run, models: Any, tmp_path: Path) -> None:
    model = changed(models.cross(1), tmp_path / "m", architectures=["BertForTokenClassification"])
    found = run("model", model, tmp_path / "out")
    assert found.status == 4
    assert "BertForTokenClassification" in found.err


@NEEDS_TORCH
def test_pickled_weights_are_4_and_named(run: Run, models: Any, tmp_path: Path) -> None:
    model = changed(models.cross(1), tmp_path / "m")
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    found = run("model", model, tmp_path / "out")
    assert found.status == 4
    assert "pytorch_model.bin is a pickle" in found.err
    assert "safetensors" in found.err


@NEEDS_TORCH
def test_remote_code_is_4_and_names_auto_map(run: Run, models: Any, tmp_path: Path) -> None:
    mapped = {"auto_map": {"AutoModel": "modeling.Mine"}, "model_type": "mine"}
    model = changed(models.cross(1), tmp_path / "m", **mapped)
    found = run("model", model, tmp_path / "out")
    assert found.status == 4
    assert "auto_map" in found.err


@NEEDS_TORCH
def test_flat_sample_is_3_and_leaves_nothing(run: Run, models: Any, tmp_path: Path) -> None:
    rows = [{"query": f"q{n}"} for n in range(8)] + [{"passage": "  " * n + "x"} for n in range(16)]
    sample = tmp_path / "flat.jsonl"
    sample.write_text("\n".join(map(json.dumps, rows)))
    found = run("model", models.cross(1), tmp_path / "out", "--sample", sample)
    assert found.status == 3
    assert "proves nothing" in found.err
    assert [file.name for file in tmp_path.iterdir()] == ["flat.jsonl"]


@NEEDS_TORCH
def test_several_labels_without_a_choice_are_2(run: Run, models: Any, tmp_path: Path) -> None:
    found = run("model", models.cross(3), tmp_path / "out")
    assert found.status == 2
    assert "LABEL_2" in found.err
    assert "--label" in found.err


@NEEDS_TORCH
def test_hub_that_does_not_answer_is_5_and_named(tmp_path: Path) -> None:
    closed = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "onnx_export.cli", "model", "org/model", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        env=closed,
    )
    assert done.returncode == 5
    assert "hub does not answer" in " ".join(done.stderr.split())


@NEEDS_TORCH
def test_exported_bundle_is_checked_with_its_original(
    run: Run, models: Any, export: Callable[..., Bundle]
) -> None:
    bundle = export(models.cross(1))
    found = run("check", bundle.path, "--model", models.cross(1), "--json")
    assert found.status == 0, found.err
    result = json.loads(found.out)
    assert result["digest"] == bundle.manifest.digest
    assert result["goldens"]["fp32"]["min_kendall_tau"] == 1.0
    assert result["gate"]["max_abs_diff"] <= result["gate"]["bound.max_abs_diff"]


@NEEDS_TORCH
def test_check_against_another_model_is_2(
    run: Run, models: Any, export: Callable[..., Bundle]
) -> None:
    found = run("check", export(models.cross(1)).path, "--model", models.cross(2))
    assert found.status == 2
    assert "name its own model" in found.err


TINY = Path(__file__).parents[2] / "plugin" / "tests" / "bundles"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY / "tiny-cross", tmp_path / "tiny-cross"))


def test_check_says_why_the_gate_was_not_run(run: Run, tiny: Path) -> None:
    found = run("check", tiny)
    assert found.status == 0, found.err
    assert "fp32 goldens max_abs_diff" in found.out
    assert "made from a local folder" in found.out


def test_check_of_a_changed_file_is_4_and_names_it(run: Run, tiny: Path) -> None:
    (tiny / "tokenizer.json").write_bytes((tiny / "tokenizer.json").read_bytes() + b" ")
    found = run("check", tiny)
    assert found.status == 4
    assert "tokenizer.json has" in found.err


def test_check_of_an_absent_bundle_is_4(run: Run, tmp_path: Path) -> None:
    found = run("check", tmp_path / "absent")
    assert found.status == 4
    assert "manifest.json is missing" in found.err
