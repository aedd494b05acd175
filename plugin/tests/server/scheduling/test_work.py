"""A job knows what waits of it, nearest in length first, and gives equal sequences one row."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.work import Batch, Item, Job

NewJob = Callable[..., Job]


def lengths(items: list[Item]) -> list[int]:
    return [item.length for item in items]


def test_what_waits_is_sorted_by_length_of_a_partial_order_from_the_last(new_job: NewJob) -> None:
    assert new_job(7, 3, 5).waiting == [1, 2, 0]
    assert new_job(7, 3, 5, partial=True).waiting == [2, 1, 0]


def test_nearest_are_those_round_the_length_asked_for(new_job: NewJob) -> None:
    job = new_job(1, 2, 5, 6, 9, 30)
    assert lengths(list(job.nearest(6, 2))) == [2, 5, 6, 9]
    assert lengths(list(job.nearest(100, 1))) == [30]


def test_nearest_of_a_partial_order_are_its_next(new_job: NewJob) -> None:
    assert sorted(lengths(list(new_job(9, 1, 5, partial=True).nearest(5, 2)))) == [1, 9]


def test_equal_sequences_wait_once_and_have_one_row(new_job: NewJob) -> None:
    one = new_job(4, 6)
    twice = [one.order.sequences[0], one.order.sequences[1], one.order.sequences[0]]
    job = Job(replace(one.order, sequences=twice), 0.0, one.answer)
    assert job.waiting == [0, 1]
    row = np.ones(2, np.float32)
    assert job.give(job.keys[2], row) == 2
    assert list(job.rows_in_order) == [0, 2]
    assert not job.complete
    job.give(job.keys[1], row)
    assert job.complete


def test_spared_sequences_wait_no_more(new_job: NewJob) -> None:
    job = new_job(4, 6, 8)
    job.spare({job.keys[1]})
    assert job.waiting == [0, 2]
    assert job.waiting_keys() == [job.keys[0], job.keys[2]]


def test_batch_costs_its_longest_row_times_its_rows(new_job: NewJob) -> None:
    one, two = new_job(9, 4), new_job(7)
    items = [Item(one, 0), Item(two, 0), Item(one, 1)]
    batch = Batch(Lane.INGEST, one.order.graph, items)
    assert batch.cost == 27
    assert batch.model is one.order.model


def test_batch_costs_its_tokens_and_a_little_padding_where_the_graph_skips_it(
    new_job: NewJob, skipping: ServedModel
) -> None:
    job = new_job(128, 64, model=skipping)
    batch = Batch(Lane.INGEST, job.order.graph, [Item(job, 0), Item(job, 1)])
    assert [batch.cost_of(item) for item in batch.items] == [128, 64 + 64 / 8]
    assert batch.cost == 200


@pytest.mark.parametrize(("own", "graph"), [(True, "query"), (False, "passage")])
def test_queries_have_a_graph_where_the_bundle_has_two(
    own: bool, graph: str, new_job: NewJob, bi_bundle: Bundle
) -> None:
    update = {"query_graph": bi_bundle.manifest.graph if own else None}
    manifest = bi_bundle.manifest.model_copy(update=update)
    served = ServedModel(replace(bi_bundle, manifest=manifest), "fp32")
    assert new_job(5, model=served, input_type="query").order.graph == (served, graph)
