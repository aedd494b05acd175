"""Answers reach those who wait, work that nobody awaits never runs, and one fault is one job's."""

import asyncio
from typing import Any

import numpy as np
import pytest

from bicross.errors import DeadlineExceeded, ModelFailed, ShuttingDown
from bicross.runtime import BiEncoder, TokenSequence
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.work import Order


async def test_each_job_gets_its_own_rows_in_its_own_order(
    bench: Any, bi_encoder: BiEncoder
) -> None:
    bench.gate.opened.set()
    texts = ["the cat", "bread " * 30, "a", "river " * 12, "stock price", "king"]
    jobs = [bench.submit(*texts), bench.submit(*reversed(texts))]
    one, two = [np.stack(list((await job.answer).values())) for job in jobs]
    expected = bi_encoder.encode(texts, "passage")
    assert np.abs(one - expected).max() < 1e-5
    assert np.abs(two - expected[::-1]).max() < 1e-5


async def test_jobs_that_wait_together_run_together(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    others = [bench.submit("the cat"), bench.submit("the dog"), bench.submit("the bird")]
    bench.gate.opened.set()
    await asyncio.gather(first.answer, *(job.answer for job in others))
    assert [len(batch) for batch in bench.gate.batches] == [1, 3]


async def test_search_overtakes_ingest_that_waits(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    ingest = bench.submit("bread bread bread")
    search = bench.submit("cat", lane=Lane.SEARCH)
    bench.gate.opened.set()
    await asyncio.gather(first.answer, ingest.answer, search.answer)
    assert bench.gate.batches[1] == [search.length(0)]


async def test_withdrawn_job_never_reaches_the_model(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    withdrawn, stays = bench.submit("bread " * 20), bench.submit("cat")
    bench.scheduler.withdraw(withdrawn)
    bench.gate.opened.set()
    await asyncio.gather(first.answer, stays.answer)
    assert withdrawn.answer.cancelled()
    assert len(bench.gate.batches) == 2


async def test_job_that_expires_while_it_waits_never_reaches_the_model(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    late = bench.submit("bread " * 20, deadline=5.0)
    stays = bench.submit("cat", deadline=50.0)
    bench.clock.now = 5.0
    bench.gate.opened.set()
    with pytest.raises(DeadlineExceeded, match="0 of 1 texts computed"):
        await late.answer
    await asyncio.gather(first.answer, stays.answer)
    assert len(bench.gate.batches) == 2
    assert bench.count("bicross_deadline_misses_total") == 1


async def test_job_whose_deadline_has_passed_is_not_taken(bench: Any) -> None:
    bench.clock.now = 7.0
    with pytest.raises(DeadlineExceeded):
        bench.submit("a", deadline=7.0)
    assert bench.count("bicross_deadline_misses_total") == 1


async def test_fault_of_one_job_fails_no_other_of_its_batch(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    odd, good = bench.submit_poison("the cat"), bench.submit("the dog")
    bench.gate.opened.set()
    await first.answer
    with pytest.raises(ModelFailed, match=r"^the model failed$"):
        await odd.answer
    assert [row.shape for row in (await good.answer).values()] == [(16,)]


async def test_model_is_unready_after_three_faults_and_ready_after_one_success(
    bench: Any,
) -> None:
    bench.gate.opened.set()
    for _ in range(3):
        with pytest.raises(ModelFailed):
            await bench.submit_poison("a").answer
    assert not bench.model.ready
    await bench.submit("a").answer
    assert bench.model.ready
    labels = {"model": bench.model.label}
    assert bench.metrics.registry.get_sample_value("bicross_model_ready", labels) == 1


async def test_stop_refuses_what_waits_and_lets_the_run_in_progress_end(bench: Any) -> None:
    running = bench.submit("a")
    await bench.entered()
    waiting = bench.submit("cat")
    bench.scheduler.stop()
    bench.gate.opened.set()
    assert [row.shape for row in (await running.answer).values()] == [(16,)]
    with pytest.raises(ShuttingDown):
        await waiting.answer
    with pytest.raises(ShuttingDown):
        bench.submit("cat")


async def test_runs_are_counted_with_their_fill(bench: Any) -> None:
    bench.gate.opened.set()
    await bench.submit("the cat", "a").answer
    assert bench.count("bicross_texts_total") == 2
    assert bench.count("bicross_tokens_total") == 6 + 5
    assert bench.count("bicross_batch_rows_sum") == 2
    assert bench.count("bicross_batch_fill_ratio_sum") == pytest.approx(11 / 12)
    assert bench.count("bicross_infer_seconds_count") == 1
    assert bench.count("bicross_queue_seconds_count") == 1


async def test_text_without_tokens_is_computed(bench: Any) -> None:
    """As a static embedding has it, of characters that its vocabulary lacks."""
    bench.gate.opened.set()
    nothing = TokenSequence(np.empty(0, np.int32), np.empty(0, np.int8), 0)
    order = Order(bench.model, Lane.INGEST, [nothing], 10.0)
    rows = await bench.scheduler.submit(order).answer
    assert [row.shape for row in rows.values()] == [(16,)]


async def test_speed_is_known_after_a_run_that_left_more_to_do(bench: Any) -> None:
    """One that takes all there is may be small, and says nothing of how fast more would be done."""
    assert bench.scheduler.tokens_per_s(Lane.INGEST) is None
    job = bench.submit(*("cat " * count for count in range(20, 29)))
    await bench.entered()
    bench.clock.now = 0.5
    bench.gate.opened.set()
    await job.answer
    rate = sum(bench.gate.batches[0]) / 0.5
    assert bench.scheduler.tokens_per_s(Lane.INGEST) == rate
    bench.clock.now = 50.0
    await bench.submit("the cat", deadline=60.0).answer
    assert bench.scheduler.tokens_per_s(Lane.INGEST) == rate
