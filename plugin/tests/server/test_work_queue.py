"""What runs next: searches first, ingest never starved, models in turn, little padding."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.runtime import TokenSequence
from bicross.server.admission import Lane
from bicross.server.catalog import ServedModel
from bicross.server.work_queue import MIN_FILL_RATIO, Item, Job, WorkQueue, fill_batch

LOOP = asyncio.new_event_loop()
LOOP.close()


@pytest.fixture(scope="session")
def model(bi_bundle: Bundle) -> ServedModel:
    return ServedModel(bi_bundle, "fp32")


@pytest.fixture(scope="session")
def other(cross_bundle: Bundle) -> ServedModel:
    return ServedModel(cross_bundle, "fp32")


def job(model: ServedModel, *lengths: int, lane: Lane = Lane.INGEST) -> Job:
    sequences = [TokenSequence(np.ones(n, np.int32), np.zeros(n, np.int8), n) for n in lengths]
    answer: asyncio.Future[Any] = asyncio.Future(loop=LOOP)
    return Job(model, lane, sequences, deadline=1.0, queued_at=0.0, answer=answer)


def queue(*jobs: Job, tokens: int = 1000, rows: int = 16) -> WorkQueue:
    made = WorkQueue(tokens, rows)
    for each in jobs:
        made.add(each)
    return made


def drained(work: WorkQueue) -> list[list[Item]]:
    batches = []
    while batch := work.take():
        batches.append(batch)
    return batches


lengths = st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=30), max_size=12)


@given(lengths=lengths, tokens=st.integers(1, 2000), rows=st.integers(1, 40))
def test_each_sequence_runs_exactly_once(
    model: ServedModel, lengths: list[list[int]], tokens: int, rows: int
) -> None:
    jobs = [job(model, *each) for each in lengths]
    ran = [item for batch in drained(queue(*jobs, tokens=tokens, rows=rows)) for item in batch]
    expected = {Item(each, index) for each in jobs for index in range(len(each.sequences))}
    assert len(ran) == len(expected)
    assert set(ran) == expected


@given(lengths=lengths, tokens=st.integers(1, 2000), rows=st.integers(1, 40))
def test_batch_is_within_its_budget_and_mostly_text(
    model: ServedModel, lengths: list[list[int]], tokens: int, rows: int
) -> None:
    jobs = [job(model, *each) for each in lengths]
    for batch in drained(queue(*jobs, tokens=tokens, rows=rows)):
        found = [item.sequence.length for item in batch]
        cost = found[0] * len(batch)
        assert found == sorted(found, reverse=True)
        assert len(batch) <= rows
        assert cost <= tokens or len(batch) == 1
        assert sum(found) >= MIN_FILL_RATIO * cost


@given(lengths=lengths)
def test_oldest_job_is_in_every_batch_until_it_is_done(
    model: ServedModel, lengths: list[list[int]]
) -> None:
    jobs = [job(model, *each) for each in lengths]
    work = queue(*jobs)
    waiting = list(jobs)
    while batch := work.take():
        assert waiting[0] in {item.job for item in batch}
        waiting = [each for each in waiting if each.waiting]


def test_requests_share_a_batch(model: ServedModel) -> None:
    one, two = job(model, 10, 11), job(model, 9, 10)
    batch = queue(one, two).take()
    assert {item.job for item in batch} == {one, two}
    assert len(batch) == 4


def test_long_sequence_does_not_pad_short_ones(model: ServedModel) -> None:
    batch = queue(job(model, 10), job(model, 200), job(model, 12)).take()
    assert [item.sequence.length for item in batch] == [12, 10]


def test_sequence_above_the_budget_runs_alone(model: ServedModel) -> None:
    batches = drained(queue(job(model, 50, 500), tokens=100))
    assert [[item.sequence.length for item in batch] for batch in batches] == [[500], [50]]


def test_search_that_came_later_runs_before_ingest(model: ServedModel) -> None:
    ingest, search = job(model, 10), job(model, 10, lane=Lane.SEARCH)
    batches = drained(queue(ingest, search))
    assert [batch[0].job for batch in batches] == [search, ingest]


def test_ingest_runs_after_at_most_four_batches_of_searches(model: ServedModel) -> None:
    searches = [job(model, 10, lane=Lane.SEARCH) for _ in range(10)]
    work = queue(job(model, 10, 10, 10), *searches, rows=1)
    lanes = "".join(batch[0].job.lane[0] for batch in drained(work))
    assert lanes == "ssssissssissi"


def test_models_of_a_lane_take_turns(model: ServedModel, other: ServedModel) -> None:
    work = queue(job(model, 5, 5, 5), job(other, 5), job(other, 5), rows=1)
    ran = [batch[0].job.model for batch in drained(work)]
    assert ran == [model, other, model, other, model]


def test_batch_never_mixes_models_or_lanes(model: ServedModel, other: ServedModel) -> None:
    work = queue(job(model, 5), job(other, 5), job(model, 5, lane=Lane.SEARCH))
    assert [len(batch) for batch in drained(work)] == [1, 1, 1]


def test_removed_job_leaves_nothing_behind(model: ServedModel) -> None:
    gone, stays = job(model, 5, 5), job(model, 5)
    work = queue(gone, stays)
    work.remove(gone)
    work.remove(gone)
    assert work.jobs() == [stays]
    assert [item.job for batch in drained(work) for item in batch] == [stays]


def test_window_is_filled_from_the_jobs_behind(model: ServedModel) -> None:
    jobs = [job(model, 20) for _ in range(40)]
    assert len(fill_batch(jobs, batch_tokens=640, batch_rows=64)) == 32


@pytest.fixture(scope="session")
def two_graphs(bi_bundle: Bundle) -> ServedModel:
    """A model whose queries go through a graph of their own."""
    manifest = bi_bundle.manifest.model_copy(update={"query_graph": bi_bundle.manifest.graph})
    return ServedModel(replace(bi_bundle, manifest=manifest), "fp32")


def query_job(model: ServedModel, *lengths: int) -> Job:
    made = job(model, *lengths)
    made.sequences[:] = [replace(row, input_type="query") for row in made.sequences]
    return made


def test_no_batch_holds_rows_of_two_graphs(two_graphs: ServedModel) -> None:
    queries, passages = query_job(two_graphs, 5, 5), job(two_graphs, 5, 5)
    work = queue(queries, passages)
    batches = drained(work)
    assert [{item.job for item in batch} for batch in batches] == [{queries}, {passages}]
    assert not work.jobs()


def test_job_of_one_graph_can_be_withdrawn(two_graphs: ServedModel) -> None:
    queries, passages = query_job(two_graphs, 5), job(two_graphs, 5)
    work = queue(queries, passages)
    work.remove(queries)
    assert work.jobs() == [passages]


def test_both_input_types_share_a_batch_where_they_share_a_graph(model: ServedModel) -> None:
    queries, passages = query_job(model, 5), job(model, 5)
    (batch,) = drained(queue(queries, passages))
    assert {item.job for item in batch} == {queries, passages}
