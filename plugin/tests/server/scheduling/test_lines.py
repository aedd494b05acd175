"""Graphs of a lane share equally, as do clients of a graph; no huge job holds up a small one."""

from collections.abc import Callable

import pytest

from bicross.bundle import Bundle
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.lines import ClientLine, GraphLine, LaneLine
from bicross.server.scheduling.work import Item, Job

NewJob = Callable[..., Job]
SLACK = 10.0
# Tokens: what is shorter counts as so long.
BATCH = 5.0


@pytest.fixture(scope="session")
def other(cross_bundle: Bundle) -> ServedModel:
    return ServedModel(cross_bundle, "fp32")


def in_line(line: ClientLine | GraphLine, *jobs: Job) -> None:
    for job in jobs:
        line.add(job)


def test_small_job_passes_a_huge_one_of_its_client(new_job: NewJob) -> None:
    huge, small = new_job(*[50] * 10), new_job(50)
    line = ClientLine(BATCH)
    in_line(line, huge, small)
    assert list(line) == [small, huge]


def test_jobs_of_less_than_a_batch_stand_in_order_of_coming(new_job: NewJob) -> None:
    jobs = [new_job(5), new_job(3), new_job(4)]
    line = ClientLine(BATCH)
    in_line(line, *jobs)
    assert list(line) == jobs


def test_job_that_would_have_ended_first_is_not_passed_by_a_later_one(new_job: NewJob) -> None:
    """Alone, it was given 90 of its 100 tokens meanwhile."""
    early, late = new_job(100), new_job(20)
    line = ClientLine(BATCH)
    line.add(early)
    line.charge(90.0)
    line.add(late)
    assert list(line) == [early, late]


def test_removed_job_leaves_the_others_in_line(new_job: NewJob) -> None:
    jobs = [new_job(5), new_job(6), new_job(7)]
    line = ClientLine(BATCH)
    in_line(line, *jobs)
    line.remove(jobs[1])
    assert list(line) == [jobs[0], jobs[2]]
    assert len(line) == 2


def test_client_that_was_given_less_stands_first(new_job: NewJob) -> None:
    mine, theirs = new_job(5, client="a"), new_job(5, client="b")
    line = GraphLine(SLACK)
    in_line(line, mine, theirs)
    line.charge([Item(mine, 0)], lambda _: 5.0)
    assert list(line) == [theirs, mine]


def test_client_that_is_far_ahead_rides_on_nobody_s_batch(new_job: NewJob) -> None:
    mine, theirs = new_job(5, client="a"), new_job(5, client="b")
    line = GraphLine(SLACK)
    in_line(line, mine, theirs)
    line.charge([Item(mine, 0)], lambda _: SLACK + 1)
    assert list(line) == [theirs]
    assert set(line.jobs()) == {mine, theirs}


def test_run_is_charged_to_each_client_by_its_sequences(new_job: NewJob) -> None:
    """Of three rows two are `a`'s, so `b` comes first, and `c`, who had none, before both."""
    jobs = {client: new_job(5, 5, client=client) for client in "abc"}
    line = GraphLine(SLACK)
    in_line(line, *jobs.values())
    line.charge([Item(jobs["a"], 0), Item(jobs["a"], 1), Item(jobs["b"], 0)], lambda _: 2.0)
    assert list(line) == [jobs["c"], jobs["b"], jobs["a"]]


def test_line_is_empty_when_its_last_job_has_gone(new_job: NewJob) -> None:
    job = new_job(5)
    line = GraphLine(SLACK)
    line.add(job)
    assert line
    line.remove(job)
    assert not line


def test_next_graph_is_the_one_that_was_given_least_of_those_that_may_run(
    new_job: NewJob, model: ServedModel, other: ServedModel
) -> None:
    lane = LaneLine(SLACK)
    assert lane.next_graph(lambda _: True) is None
    mine, theirs = new_job(5), new_job(5, model=other)
    lane.add(mine)
    lane.add(theirs)
    lane.charge(mine.order.graph, 5.0)
    assert lane.next_graph(lambda _: True) == theirs.order.graph
    assert lane.next_graph(lambda graph: graph[0] is model) == mine.order.graph
    assert lane.next_graph(lambda _: False) is None


def test_graph_without_work_has_no_line(new_job: NewJob) -> None:
    job = new_job(5)
    lane = LaneLine(SLACK)
    lane.add(job)
    assert lane.jobs() == [job]
    lane.remove(job)
    assert not lane
    assert lane.next_graph(lambda _: True) is None
