"""A lane's rate is what it got of the time in which the machine was at work."""

import pytest

from bicross.server.scheduling.drain import PAUSE_S, WINDOW_S, DrainRate, Run
from bicross.server.scheduling.lane import Lane

WEIGHTS = {Lane.SEARCH: 4.0, Lane.INGEST: 1.0}


def drain(*runs: Run) -> DrainRate:
    made = DrainRate(WEIGHTS)
    for run in runs:
        made.add(run)
    return made


def test_nothing_is_known_before_a_run() -> None:
    assert drain().tokens_per_s(Lane.INGEST) is None


def test_rate_is_tokens_over_the_time_at_work() -> None:
    found = drain(Run(Lane.INGEST, 100, 0.0, 0.5), Run(Lane.INGEST, 300, 0.5, 1.0))
    assert found.tokens_per_s(Lane.INGEST) == pytest.approx(400)


def test_rest_between_runs_is_no_work_and_a_short_pause_is() -> None:
    rested = drain(Run(Lane.INGEST, 100, 0.0, 1.0), Run(Lane.INGEST, 100, 3.0, 4.0))
    assert rested.tokens_per_s(Lane.INGEST) == pytest.approx(200 / 2)
    paused = drain(Run(Lane.INGEST, 100, 0.0, 1.0), Run(Lane.INGEST, 100, 1 + PAUSE_S / 2, 2.0))
    assert paused.tokens_per_s(Lane.INGEST) == pytest.approx(200 / 2)


def test_runs_side_by_side_share_their_time() -> None:
    found = drain(Run(Lane.INGEST, 100, 0.0, 1.0), Run(Lane.INGEST, 100, 0.0, 1.0))
    assert found.tokens_per_s(Lane.INGEST) == pytest.approx(200)


def test_lane_that_got_more_than_its_share_has_a_rate_of_its_own() -> None:
    found = drain(Run(Lane.SEARCH, 100, 0.0, 0.5), Run(Lane.INGEST, 300, 0.5, 1.0))
    assert found.tokens_per_s(Lane.INGEST) == pytest.approx(300)


def test_lane_that_asked_for_less_would_get_its_share_of_the_whole() -> None:
    found = drain(Run(Lane.SEARCH, 100, 0.0, 0.5), Run(Lane.INGEST, 300, 0.5, 1.0))
    assert found.tokens_per_s(Lane.SEARCH) == pytest.approx(400 * 4 / 5)


def test_lane_without_a_run_would_get_its_share_of_the_whole() -> None:
    found = drain(Run(Lane.INGEST, 1000, 0.0, 1.0))
    assert found.tokens_per_s(Lane.SEARCH) == pytest.approx(1000 * 4 / 5)


def test_runs_before_the_window_are_forgotten_and_the_last_is_kept_however_old() -> None:
    found = drain(Run(Lane.INGEST, 9999, 0.0, 1.0), Run(Lane.INGEST, 100, 50.0, 51.0))
    assert found.tokens_per_s(Lane.INGEST) == pytest.approx(100)
    assert drain(Run(Lane.INGEST, 100, 0.0, 10 * WINDOW_S)).tokens_per_s(Lane.INGEST) is not None
