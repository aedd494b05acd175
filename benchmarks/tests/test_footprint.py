"""The footprint's figures, of a real server over a tiny bundle."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import footprint
from benchmarks.footprint import Run, measure, recipe_of, summary

TINY = Path(__file__).parents[2] / "plugin" / "tests" / "bundles" / "tiny-bi"


def test_run_tells_when_the_server_was_ready_and_what_it_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(footprint, "LOAD_S", 0.5)
    command = shutil.which("bicross", path=str(Path(sys.executable).parent))
    assert command is not None
    recipe = recipe_of(TINY)
    run = measure(replace(recipe, command=(command, *recipe.command[1:])))
    assert run.ready_s > 0
    assert run.ready_cpu_s > 0
    assert run.ready_mib is not None
    assert run.loaded_mib is not None
    assert run.ready_mib > 10


def test_summary_is_the_median_of_the_runs_that_have_a_figure() -> None:
    runs = [Run(seconds, 1.0, None, 200.0, 0.5) for seconds in (3.0, 1.0, 2.0)]
    assert summary(runs) == {
        "ready_s": 2.0,
        "ready_cpu_s": 1.0,
        "loaded_mib": 200.0,
        "load_average": 0.5,
    }
