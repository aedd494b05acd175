"""Several runs at once: no lane or model beyond its share of them, and each job as if alone."""

import asyncio
from typing import Any

import numpy as np
import pytest

from bicross.errors import DeadlineExceeded, ModelFailed, ShuttingDown
from bicross.runtime import BiEncoder
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.lane import Lane


async def both_run(bench: Any) -> None:
    """As many runs of ingest have begun as may."""
    await bench.entered()
    await bench.entered()


def standing(bench: Any) -> int:
    """Runs that have begun and were not asked about yet."""
    number = 0
    while bench.gate.entered.acquire(blocking=False):
        number += 1
    return number


async def test_rows_of_runs_that_overlap_reach_their_own_jobs(
    wide_bench: Any, bi_encoder: BiEncoder
) -> None:
    texts = ["the cat", "bread and salt", "a", "stock prices fell", "king"]
    jobs = [wide_bench.submit(*texts), wide_bench.submit("river", "the dog")]
    await both_run(wide_bench)
    wide_bench.gate.opened.set()
    one, two = [np.stack(list((await job.answer).values())) for job in jobs]
    assert np.abs(one - bi_encoder.encode(texts, "passage")).max() < 1e-5
    assert np.abs(two - bi_encoder.encode(["river", "the dog"], "passage")).max() < 1e-5


async def test_ingest_leaves_a_run_to_searches(wide_bench: Any) -> None:
    ingest = wide_bench.submit("a", "the cat", "the dog")
    await both_run(wide_bench)
    search = wide_bench.submit("cat", lane=Lane.SEARCH)
    await wide_bench.entered()
    assert standing(wide_bench) == 0
    wide_bench.gate.opened.set()
    await asyncio.gather(ingest.answer, search.answer)


async def test_model_at_its_limit_of_a_lane_leaves_the_threads_to_others(
    wide_bench: Any, bi_bundle: Any, gate: Any
) -> None:
    """Two searches of one model run; its third waits, and another model's does not."""
    first = wide_bench.submit("a", "the cat", "the dog", lane=Lane.SEARCH)
    await both_run(wide_bench)
    other = ServedModel(bi_bundle, "fp32")
    others = gate(other)
    second = wide_bench.submit("king", lane=Lane.SEARCH, model=other)
    assert await asyncio.to_thread(others.entered.acquire, timeout=30)
    assert standing(wide_bench) == 0
    others.opened.set()
    await second.answer
    wide_bench.gate.opened.set()
    await first.answer


async def test_deadline_that_passes_during_two_runs_spares_the_rest(wide_bench: Any) -> None:
    late = wide_bench.submit("a", "the cat", "the dog", "the bird", deadline=5.0)
    stays = wide_bench.submit("king", deadline=50.0)
    await both_run(wide_bench)
    wide_bench.clock.now = 5.0
    with pytest.raises(DeadlineExceeded, match="0 of 4 texts computed"):
        wide_bench.scheduler.expire(late)
    wide_bench.gate.opened.set()
    await stays.answer
    assert wide_bench.count("bicross_deadline_misses_total") == 1
    assert wide_bench.count("bicross_texts_total") <= 3


async def test_job_withdrawn_during_two_runs_begins_no_third(wide_bench: Any) -> None:
    withdrawn = wide_bench.submit("the cat sat", "the dog sat", "the bird sat")
    await both_run(wide_bench)
    stays = wide_bench.submit("king")
    wide_bench.scheduler.withdraw(withdrawn)
    wide_bench.gate.opened.set()
    await stays.answer
    assert withdrawn.answer.cancelled()
    await asyncio.to_thread(_ended, wide_bench)
    assert len(wide_bench.gate.batches) == 3


def _ended(bench: Any) -> None:
    bench.scheduler.stop()
    bench.scheduler.join()


async def test_fault_of_one_run_is_not_that_of_the_one_beside_it(wide_bench: Any) -> None:
    odd, good = wide_bench.submit_poison("the cat"), wide_bench.submit("the dog")
    await both_run(wide_bench)
    wide_bench.gate.opened.set()
    with pytest.raises(ModelFailed):
        await odd.answer
    assert [row.shape for row in (await good.answer).values()] == [(16,)]


async def test_stop_lets_all_runs_in_progress_end(wide_bench: Any) -> None:
    running = [wide_bench.submit("a"), wide_bench.submit("the cat")]
    await both_run(wide_bench)
    waiting = wide_bench.submit("king")
    wide_bench.scheduler.stop()
    wide_bench.gate.opened.set()
    for job in running:
        assert len(await job.answer) == 1
    with pytest.raises(ShuttingDown):
        await waiting.answer
