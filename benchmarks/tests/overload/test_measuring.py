"""The figures of an overload, and a real server over a tiny bundle that meets one."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.footprint import recipe_of
from benchmarks.overload.crowds import Outcome, Returns
from benchmarks.overload.measuring import (
    BULK,
    Plan,
    _figures,
    _growth,
    asked_too_much,
    make_load,
)
from benchmarks.serving.load.clients import Tally
from benchmarks.serving.servers import started
from benchmarks.serving.workload import Workload

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles" / "tiny-bi"


def test_server_under_overload_is_told_of(tmp_path: Path) -> None:
    command = shutil.which("bicross", path=str(Path(sys.executable).parent))
    assert command is not None
    recipe = recipe_of(TINY)
    small = {"BICROSS_MAX_QUEUE_TOKENS": "2000", "BICROSS_MAX_REQUEST_TOKENS": "2000"}
    recipe = replace(recipe, command=(command, *recipe.command[1:])).with_environment(small)
    workload = Workload(["the cat sat on the mat"] * BULK, ["the cat"], [], 0)
    with started(recipe, tmp_path / "log") as server:
        load = make_load(server, workload)
        found = asked_too_much(server, load, Plan(TINY, 1.0, 2.0, None), unloaded_s=0.5)
    assert found["unloaded_passages_per_s"] > 0
    assert found["failed"].keys() <= {"429"}
    assert found["broken"] == 0
    assert found["searches"]["p50_ms"] > 0
    assert found["rss"]["start_mib"] > 10


def test_share_of_answers_leaves_out_who_still_waits_and_the_rate_counts_all_bulk() -> None:
    flood = Tally(seconds=[1.0] * 10, refused={429: [0.001] * 30}, lasted_s=10.0)
    outcome = Outcome(flood, Tally(), Returns(came=5, refused=1, answered=10), waiting=3)
    found = _figures(outcome, unloaded=4.0, offered=40.0)
    assert found["answered_share"] == 10 / 40
    assert found["kept_share"] == (10 + 10) / 10 / 4.0
    assert found["returns"] == {"came": 5, "admitted_share": 0.8}
    assert found["refusal"]["p99_ms"] == 1.0
    assert found["waiting_at_the_end"] == 3


def test_growth_is_told_of_the_whole_time_and_of_its_second_half() -> None:
    found = _growth([(0.0, 100.0), (5.0, 150.0), (10.0, 151.0), (15.0, 152.0)])
    assert found["growth_mib"] == 52.0
    assert found["second_half_mib"] == 1.0
    assert found["median_mib"] == pytest.approx(150.5)
