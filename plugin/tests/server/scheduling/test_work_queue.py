"""What runs next: lanes, models and clients by their shares, and no model beyond its streams."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.filling import MIN_FILL_RATIO, RUN_COSTS_TOKENS, Size
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.work import Batch, Item, Job
from bicross.server.scheduling.work_queue import SEARCHES_LAST_S, Sharing, WorkQueue

NewJob = Callable[..., Job]
TOKENS = 100
WEIGHT = 4.0


@pytest.fixture(scope="session")
def other(cross_bundle: Bundle) -> ServedModel:
    return ServedModel(cross_bundle, "fp32")


def queue(*jobs: Job, tokens: int = 1000, rows: int = 16, ingest_runs: int = 1) -> WorkQueue:
    made = WorkQueue(Sharing(Size(tokens, rows), WEIGHT, ingest_runs=ingest_runs))
    for each in jobs:
        made.add(each)
    return made


def drained(work: WorkQueue) -> list[Batch]:
    batches = []
    while batch := work.take(0.0):
        batches.append(batch)
        work.finish(batch, None)
    return batches


def jobs(batch: Batch) -> list[Job]:
    return list(dict.fromkeys(item.job for item in batch.items))


lengths = st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=30), max_size=12)


@given(lengths=lengths, tokens=st.integers(1, 2000), rows=st.integers(1, 40), data=st.data())
def test_each_sequence_runs_exactly_once_in_a_batch_within_its_bounds(
    new_job: NewJob, lengths: list[list[int]], tokens: int, rows: int, data: st.DataObject
) -> None:
    jobs = []
    for each in lengths:
        lane, client = data.draw(st.sampled_from(Lane)), data.draw(st.sampled_from("abc"))
        jobs.append(new_job(*each, lane=lane, client=client, partial=data.draw(st.booleans())))
    work = queue(*jobs, tokens=tokens, rows=rows)
    batches = drained(work)
    ran = [item for batch in batches for item in batch.items]
    expected = {Item(job, index) for job in jobs for index in range(len(job.order.sequences))}
    assert len(ran) == len(expected)
    assert set(ran) == expected
    for batch in batches:
        found = [item.length for item in batch.items]
        assert found == sorted(found, reverse=True)
        assert len(found) <= rows
        assert batch.cost <= tokens or len(found) == 1
        text = sum(found)
        assert text >= min(MIN_FILL_RATIO * batch.cost, batch.cost - RUN_COSTS_TOKENS)
    assert not work.jobs()


def test_requests_share_a_batch(new_job: NewJob) -> None:
    one, two = new_job(10, 11), new_job(9, 10)
    batch = queue(one, two).take(0.0)
    assert batch is not None
    assert set(jobs(batch)) == {one, two}
    assert len(batch.items) == 4


def test_search_that_came_later_runs_before_ingest(new_job: NewJob) -> None:
    ingest, search = new_job(10), new_job(10, lane=Lane.SEARCH)
    assert [jobs(batch) for batch in drained(queue(ingest, search))] == [[search], [ingest]]


def test_search_comes_before_ingest_that_has_run_alone_for_long(new_job: NewJob) -> None:
    work = queue(new_job(*[10] * 100), rows=1)
    for _ in range(50):
        work.finish(_taken(work), None)
    search = new_job(10, lane=Lane.SEARCH)
    work.add(search)
    assert jobs(_taken(work)) == [search]


def _taken(work: WorkQueue) -> Batch:
    batch = work.take(0.0)
    assert batch is not None
    return batch


arrivals = st.lists(st.tuples(st.integers(1, TOKENS), st.integers(1, 8)), min_size=1, max_size=40)


@given(searches=arrivals, ingests=arrivals, late=st.integers(0, 10))
def test_lanes_share_by_their_weights_whatever_comes_when(
    new_job: NewJob,
    searches: list[tuple[int, int]],
    ingests: list[tuple[int, int]],
    late: int,
) -> None:
    """Over any time in which both have work, searches get `WEIGHT` times as much, but for the
    batch that they may be ahead and the batches at either end.
    """
    work = WorkQueue(Sharing(Size(TOKENS, 16), WEIGHT))
    coming = [new_job(*[n] * count, lane=Lane.SEARCH) for n, count in searches]
    coming_ingest = [new_job(*[n] * count, lane=Lane.INGEST) for n, count in ingests]
    given_to = dict.fromkeys(Lane, 0.0)
    for turn in range(10_000):
        for jobs, start in ((coming, 0), (coming_ingest, late)):
            if jobs and turn >= start:
                work.add(jobs.pop())
        lanes = {job.order.lane for job in work.jobs()}
        batch = work.take(0.0)
        if batch is None and turn > late:
            break
        if batch is not None:
            work.finish(batch, None)
            if len(lanes) < len(Lane):
                given_to = dict.fromkeys(Lane, 0.0)
            else:
                given_to[batch.lane] += batch.cost
                behind = given_to[Lane.SEARCH] / WEIGHT - given_to[Lane.INGEST]
                assert abs(behind) <= 4 * TOKENS
    assert not work.jobs()


def test_ingest_gets_its_share_under_searches_that_never_end(new_job: NewJob) -> None:
    work = queue(new_job(*[10] * 100), tokens=10, rows=1)
    done = dict.fromkeys(Lane, 0)
    for _ in range(200):
        work.add(new_job(10, lane=Lane.SEARCH))
        batch = _taken(work)
        work.finish(batch, None)
        done[batch.lane] += 1
    assert done[Lane.INGEST] == pytest.approx(200 / (1 + WEIGHT), abs=2)


def test_models_of_a_lane_take_turns(new_job: NewJob, model: ServedModel, other: Any) -> None:
    work = queue(new_job(5, 5, 5), new_job(5, model=other), new_job(5, model=other), rows=1)
    assert [batch.model for batch in drained(work)] == [model, other, model, other, model]


def test_slow_model_gets_no_more_time_than_a_fast_one(
    new_job: NewJob, model: ServedModel, other: ServedModel
) -> None:
    """`other` takes three times as long for a token."""
    seconds = {model: 1.0, other: 3.0}
    work = queue(new_job(*[10] * 500), new_job(*[10] * 500, model=other), rows=1)
    spent = dict.fromkeys(seconds, 0.0)
    for _ in range(200):
        batch = _taken(work)
        spent[batch.model] += seconds[batch.model]
        work.finish(batch, seconds[batch.model])
    assert spent[model] == pytest.approx(spent[other], rel=0.1)


@given(
    mine=st.lists(st.integers(1, TOKENS), min_size=20, max_size=60),
    theirs=st.lists(st.integers(1, TOKENS), min_size=20, max_size=60),
)
def test_clients_of_a_lane_share_it_however_many_requests_each_sends(
    new_job: NewJob, mine: list[int], theirs: list[int]
) -> None:
    """One client's texts come in one request, the other's each in its own."""
    work = queue(new_job(*mine, client="a"), tokens=TOKENS, rows=8)
    for length in theirs:
        work.add(new_job(length, client="b"))
    given_to = {"a": 0, "b": 0}
    while {job.order.client for job in work.jobs()} == given_to.keys():
        batch = _taken(work)
        work.finish(batch, None)
        for item in batch.items:
            given_to[item.job.order.client] += batch.items[0].length
        assert abs(given_to["a"] - given_to["b"]) <= 2 * TOKENS + TOKENS


def test_huge_request_does_not_hold_up_a_small_one(new_job: NewJob) -> None:
    huge, small = new_job(*[50] * 200), new_job(60)
    work = queue(huge, tokens=100)
    work.finish(_taken(work), None)
    work.add(small)
    assert jobs(_taken(work)) == [small]


def test_huge_request_ends_under_small_ones_that_never_end(new_job: NewJob) -> None:
    """They are of a length that shares no batch with it."""
    huge = new_job(*[50] * 20)
    work = queue(huge, tokens=100, rows=2)
    for _ in range(100):
        work.add(new_job(100))
        work.finish(_taken(work), None)
        if not huge.waiting:
            break
    assert not huge.waiting


def test_batch_never_mixes_models_or_lanes(new_job: NewJob, other: ServedModel) -> None:
    work = queue(new_job(5), new_job(5, model=other), new_job(5, lane=Lane.SEARCH))
    assert [len(batch.items) for batch in drained(work)] == [1, 1, 1]


def test_removed_job_leaves_nothing_behind(new_job: NewJob) -> None:
    gone, stays = new_job(5, 5), new_job(5)
    work = queue(gone, stays)
    work.remove(gone)
    work.remove(gone)
    assert work.jobs() == [stays]
    assert [jobs(batch) for batch in drained(work)] == [[stays]]


@pytest.fixture(scope="session")
def two_graphs(bi_bundle: Bundle) -> ServedModel:
    """A model whose queries go through a graph of their own."""
    manifest = bi_bundle.manifest.model_copy(update={"query_graph": bi_bundle.manifest.graph})
    return ServedModel(replace(bi_bundle, manifest=manifest), "fp32")


def test_no_batch_holds_rows_of_two_graphs(new_job: NewJob, two_graphs: ServedModel) -> None:
    queries = new_job(5, 5, model=two_graphs, input_type="query")
    passages = new_job(5, 5, model=two_graphs)
    work = queue(queries, passages)
    assert [jobs(batch) for batch in drained(work)] == [[queries], [passages]]
    assert not work.jobs()


def test_job_of_one_graph_can_be_withdrawn(new_job: NewJob, two_graphs: ServedModel) -> None:
    queries = new_job(5, model=two_graphs, input_type="query")
    passages = new_job(5, model=two_graphs)
    work = queue(queries, passages)
    work.remove(queries)
    assert work.jobs() == [passages]


def test_both_input_types_share_a_batch_where_they_share_a_graph(new_job: NewJob) -> None:
    queries, passages = new_job(5, input_type="query"), new_job(5)
    (batch,) = drained(queue(queries, passages))
    assert set(jobs(batch)) == {queries, passages}


def test_no_model_runs_more_ingest_batches_at_once_than_it_has_streams(
    new_job: NewJob, other: ServedModel
) -> None:
    work = queue(new_job(5, 5, 5), new_job(5, model=other), rows=1, ingest_runs=4)
    first, second = _taken(work), _taken(work)
    assert {first.model, second.model} == {first.model, other}
    assert work.take(0.0) is None
    work.finish(first, None)
    assert _taken(work).model is first.model


def test_search_need_not_wait_for_an_ingest_run_to_end(new_job: NewJob) -> None:
    work = queue(new_job(5, 5, 5), rows=1)
    _taken(work)
    assert work.take(0.0) is None
    work.add(new_job(5, lane=Lane.SEARCH))
    assert _taken(work).lane is Lane.SEARCH


def test_searches_that_come_during_a_run_share_the_next(new_job: NewJob) -> None:
    work = queue(new_job(9, lane=Lane.SEARCH))
    running = _taken(work)
    for length in (6, 10, 8):
        work.add(new_job(length, lane=Lane.SEARCH))
    assert work.take(0.0) is None
    work.finish(running, None)
    assert sorted(item.length for item in _taken(work).items) == [6, 8, 10]


def test_ingest_batches_are_small_while_searches_are_present(new_job: NewJob) -> None:
    """At 1 ms a token and 20 ms a run they hold 20 tokens, else 100."""
    work = queue(new_job(*[10] * 100), tokens=100)
    batch = _taken(work)
    work.finish(batch, batch.cost / 1000)
    work.add(new_job(5, lane=Lane.SEARCH))
    search, beside = _taken(work), None
    work.finish(search, None)
    beside = _taken(work)
    work.finish(beside, None)
    later = work.take(SEARCHES_LAST_S + 0.1)
    assert later is not None
    assert [search.lane, beside.cost, later.cost] == [Lane.SEARCH, 20, 100]
