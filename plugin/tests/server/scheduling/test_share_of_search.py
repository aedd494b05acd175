"""Streams share what waits of searches, in runs that are worth having."""

from collections.abc import Callable
from typing import Any

import pytest

from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.filling import Size
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.work import Job
from bicross.server.scheduling.work_queue import LEAST_SHARE_TOKENS, Sharing, WorkQueue

NewJob = Callable[..., Job]


def costs_of_two_runs(job: Job, tokens: int = 1000) -> list[float]:
    """Of the runs that two idle streams take one after the other, from a queue of `job`."""
    work = WorkQueue(Sharing(Size(tokens, 64)))
    work.add(job)
    return [batch.cost for batch in (work.take(0.0), work.take(0.0)) if batch is not None]


@pytest.fixture
def search(new_job: NewJob, model: ServedModel, gate: Callable[..., Any]) -> Callable[..., Job]:
    """Builds a job of one search, of a model with two streams."""
    served = ServedModel(model.bundle, "fp32")
    gate(served, streams=2)
    return lambda *lengths: new_job(*lengths, lane=Lane.SEARCH, model=served)


def test_streams_share_what_waits(search: Callable[..., Job]) -> None:
    """So the second does not stand idle while the first computes all."""
    assert costs_of_two_runs(search(*[10] * 20)) == [100, 50]


def test_no_share_is_so_small_that_runs_cost_more_than_they_compute(
    search: Callable[..., Job],
) -> None:
    assert costs_of_two_runs(search(*[8] * 8)) == [LEAST_SHARE_TOKENS, 16]


def test_share_is_never_more_than_a_batch(search: Callable[..., Job]) -> None:
    assert costs_of_two_runs(search(*[10] * 100), tokens=100) == [100, 100]
