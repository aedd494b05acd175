"""A text in flight is computed once, and whoever still wants it then has its row."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.errors import DeadlineExceeded, ModelFailed
from bicross.runtime import TokenSequence
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.filling import Size
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.rides import Rides
from bicross.server.scheduling.work import Batch, Job, Order
from bicross.server.scheduling.work_queue import Sharing, WorkQueue


def sequence(letter: str) -> TokenSequence:
    length = 1 + ord(letter) % 7
    return TokenSequence(np.full(length, ord(letter), np.int32), np.zeros(length, np.int8), length)


class Machine:
    """A queue, and what runs from it. A text is a letter, and so is its row."""

    def __init__(self, model: ServedModel, new_job: Callable[..., Job]) -> None:
        self.queue = WorkQueue(Sharing(Size(20, 4), ingest_runs=2))
        self.jobs: list[Job] = []
        self.gone: set[Job] = set()
        self.running: list[Batch] = []
        self._model, self._like = model, new_job(1)

    def submit(self, letters: str, lane: Lane, client: str, *, partial: bool) -> None:
        order = Order(self._model, lane, list(map(sequence, letters)), 1.0, client, partial)
        job = Job(order, 0.0, self._like.answer)
        self.queue.add(job)
        self.jobs.append(job)

    def withdraw(self, job: Job) -> None:
        self.queue.remove(job)
        self.gone.add(job)

    def begin(self) -> None:
        batch = self.queue.take(0.0)
        if batch is not None:
            items = self.queue.rides.leave(batch.items, self.gone)
            self.running.append(Batch(batch.lane, batch.graph, items))
            computing = Counter(item.key for each in self.running for item in each.items)
            assert set(computing.values()) <= {1}
            assert not self.gone & {item.job for item in items}

    def end(self) -> None:
        if self.running:
            batch = self.running.pop(0)
            for item in batch.items:
                for rider in self.queue.rides.land(item):
                    rider.job.give(item.key, item.sequence.ids[:1].astype(np.float32))
            self.queue.finish(batch, None)


@given(data=st.data())
def test_whoever_stays_has_the_row_of_each_of_its_texts(
    model: ServedModel, new_job: Callable[..., Job], data: st.DataObject
) -> None:
    machine = Machine(model, new_job)
    steps = st.lists(st.sampled_from(("submit", "withdraw", "begin", "end")), max_size=30)
    for step in data.draw(steps):
        if step == "submit":
            letters, lane = (
                data.draw(st.text("abcdef", min_size=1)),
                data.draw(st.sampled_from(Lane)),
            )
            client = data.draw(st.sampled_from("xy"))
            machine.submit(letters, lane, client, partial=data.draw(st.booleans()))
        elif step == "withdraw" and machine.jobs:
            machine.withdraw(data.draw(st.sampled_from(machine.jobs)))
        elif step == "begin":
            machine.begin()
        elif step == "end":
            machine.end()
    while machine.running or machine.queue.jobs():
        machine.end()
        machine.begin()
    for job in machine.jobs:
        if job not in machine.gone:
            rows = [row for row in job.rows_in_order.values() if isinstance(row, np.ndarray)]
            assert [float(row[0]) for row in rows] == [s.ids[0] for s in job.order.sequences]


async def test_text_that_two_ask_for_at_once_is_one_row_of_a_run(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    one, two = bench.submit("the cat"), bench.submit("the dog", "the cat", "the cat")
    bench.gate.opened.set()
    await first.answer
    rows, (dog, *cats) = (await one.answer), (await two.answer).values()
    assert [len(batch) for batch in bench.gate.batches] == [1, 2]
    assert all(np.array_equal(cat, rows[0]) for cat in cats)
    assert not np.array_equal(dog, rows[0])
    assert bench.count("bicross_texts_total") == 3
    assert bench.count("bicross_shared_texts_total") == 2


async def test_text_that_runs_when_it_is_asked_for_is_not_run_again(bench: Any) -> None:
    first = bench.submit("the cat", "the cat")
    await bench.entered()
    second = bench.submit("the cat")
    assert second.started_at is not None
    bench.gate.opened.set()
    assert np.array_equal((await first.answer)[1], (await second.answer)[0])
    assert [len(batch) for batch in bench.gate.batches] == [1]


async def test_nobody_can_write_into_a_row_that_others_have_too(bench: Any) -> None:
    bench.gate.opened.set()
    (row,) = (await bench.submit("the cat").answer).values()
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 0


async def test_withdrawn_request_leaves_its_text_to_who_rides_on_it(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    leader, rider = bench.submit("the cat"), bench.submit("the cat")
    running = bench.submit("a")
    for job in (first, leader):
        bench.scheduler.withdraw(job)
    bench.gate.opened.set()
    assert (await rider.answer).keys() == (await running.answer).keys() == {0}
    assert [len(batch) for batch in bench.gate.batches] == [1, 1]


async def test_deadlines_of_those_who_share_a_text_are_each_s_own(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    late, rider = bench.submit("the cat", deadline=5.0), bench.submit("the cat", deadline=50.0)
    bench.clock.now = 5.0
    bench.gate.opened.set()
    with pytest.raises(DeadlineExceeded):
        await late.answer
    assert (await rider.answer).keys() == (await first.answer).keys() == {0}


async def test_fault_of_a_request_is_not_that_of_who_shares_another_text_of_it(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    odd, good = bench.submit_poison("the cat", "the dog"), bench.submit("the dog")
    bench.gate.opened.set()
    await first.answer
    with pytest.raises(ModelFailed):
        await odd.answer
    assert (await good.answer).keys() == {0}


async def test_text_at_which_the_model_fails_fails_for_all_who_share_it(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    both = [bench.submit_poison("the cat"), bench.submit_poison("the cat")]
    bench.gate.opened.set()
    await first.answer
    for job in both:
        with pytest.raises(ModelFailed):
            await job.answer
    assert (await bench.submit("the cat").answer).keys() == {0}


async def test_other_model_of_the_same_bundle_shares_nothing(bench: Any) -> None:
    second = ServedModel(bench.model.bundle, bench.model.precision)
    second.encoder = bench.model.encoder
    first = bench.submit("a")
    await bench.entered()
    jobs = [bench.submit("the cat"), bench.submit("the cat", model=second)]
    bench.gate.opened.set()
    for job in (first, *jobs):
        await job.answer
    assert sum(map(len, bench.gate.batches)) == 3


async def test_other_input_type_shares_nothing(bench: Any) -> None:
    first = bench.submit("a")
    await bench.entered()
    jobs = [bench.submit("the cat"), bench.submit("the cat", input_type="query")]
    bench.gate.opened.set()
    for job in (first, *jobs):
        await job.answer
    assert sum(map(len, bench.gate.batches)) == 3


def test_nothing_is_kept_of_what_has_landed(new_job: Callable[..., Job]) -> None:
    rides, job = Rides(), new_job(3, 4)
    rides.add(job)
    items = [job.item(key) for key in job.places]
    rides.board(items)
    for item in items:
        assert rides.land(item) == [item]
    assert not rides._running
    assert not rides._waiting
