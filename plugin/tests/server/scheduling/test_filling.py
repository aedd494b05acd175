"""A batch is of one length, near enough: the first job's own sequences, then whoever's fit."""

from collections.abc import Callable

from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.filling import (
    JOBS_SEEN,
    PARTIAL_AHEAD,
    RUN_COSTS_TOKENS,
    Size,
    fill_batch,
)
from bicross.server.scheduling.work import Job

NewJob = Callable[..., Job]
WIDE = Size(tokens=10_000, rows=64)


def filled(*jobs: Job, size: Size = WIDE) -> list[int]:
    return [item.length for item in fill_batch(jobs, size)]


def test_longest_sequence_of_the_first_job_is_always_in_it(new_job: NewJob) -> None:
    assert filled(new_job(5, 200), new_job(5, 5, 5)) == [200]


def test_sequence_that_is_larger_than_a_batch_runs_alone(new_job: NewJob) -> None:
    assert filled(new_job(500, 500), size=Size(100, 64)) == [500]


def test_batch_is_no_larger_than_its_tokens_and_rows_allow(new_job: NewJob) -> None:
    assert filled(new_job(*[10] * 50), size=Size(100, 64)) == [10] * 10
    assert filled(new_job(*[10] * 50), size=Size(10_000, 4)) == [10] * 4


def test_row_is_left_out_that_would_be_mostly_padding(new_job: NewJob) -> None:
    assert filled(new_job(100), new_job(98, 20)) == [100, 98]


def test_padding_that_costs_less_than_a_run_is_taken(new_job: NewJob) -> None:
    """It is mostly padding for the second, but another run would cost more."""
    assert filled(new_job(2 + RUN_COSTS_TOKENS), new_job(2)) == [2 + RUN_COSTS_TOKENS, 2]


def test_rows_of_any_length_share_a_run_where_padding_costs_little(
    new_job: NewJob, skipping: ServedModel
) -> None:
    job, others = new_job(100, model=skipping), new_job(98, 60, 20, model=skipping)
    assert filled(job, others) == [100, 98, 60, 20]


def test_rows_are_left_out_where_attention_alone_would_compute_too_much_on_padding(
    new_job: NewJob, skipping: ServedModel
) -> None:
    job, others = new_job(1000, model=skipping), new_job(990, 300, model=skipping)
    assert filled(job, others) == [1000, 990]


def test_own_rows_of_a_near_length_come_before_others_that_fit_better(new_job: NewJob) -> None:
    first, second = new_job(100, 98, 98, 98), new_job(100, 100, 100)
    assert filled(first, second, size=Size(400, 64)) == [100, 98, 98, 98]


def test_others_of_a_nearer_length_come_before_own_rows_that_are_far(new_job: NewJob) -> None:
    first, second = new_job(100, 60), new_job(100, 100)
    assert filled(first, second, size=Size(300, 64)) == [100, 100, 100]


def test_longer_row_of_another_may_stretch_the_batch(new_job: NewJob) -> None:
    assert filled(new_job(100), new_job(110)) == [110, 100]


def test_partial_job_runs_from_its_first_whatever_the_lengths(new_job: NewJob) -> None:
    job = new_job(30, 30, 90, 90, partial=True)
    assert filled(job, size=Size(60, 64)) == [30, 30]


def test_partial_job_is_looked_at_so_far_and_no_farther(new_job: NewJob) -> None:
    """What would fill a run well lies too far behind to be moved ahead."""
    size = Size(100, 64)
    ahead = PARTIAL_AHEAD * size.tokens // 100
    job = new_job(10, *[100] * ahead, 10, 10, partial=True)
    assert filled(job, size=size) == [10]


def test_only_so_many_jobs_are_looked_at(new_job: NewJob) -> None:
    first, last = new_job(100), new_job(100)
    others = [new_job(1) for _ in range(JOBS_SEEN - 1)]
    assert filled(first, *others, last) == [100]
    assert filled(first, *others[1:], last) == [100, 100]


def test_nothing_is_taken_from_the_jobs(new_job: NewJob) -> None:
    job = new_job(5, 6)
    fill_batch([job], WIDE)
    assert len(job.waiting) == 2
