"""The only module that runs models: batches across requests, in as many threads as streams."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from bicross.errors import DeadlineExceeded, ModelFailed, RequestError, ShuttingDown
from bicross.runtime import Row
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.caches import Caches, read_only
from bicross.server.scheduling.drain import DrainRate, Run
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.priority import yield_to_requests
from bicross.server.scheduling.work import Batch, Item, Job, Order
from bicross.server.scheduling.work_queue import WorkQueue
from bicross.server.telemetry.metrics import Metrics

LOG = logging.getLogger("bicross.server")


class Scheduler:
    """`start` once, `submit` from the event loop that started it, `stop` at the end.

    The models' threads, `workers` of them, and the event loop meet in `_queue`, `_caches`, `_drain`
    and a job's `rows`, under `_changed`; futures are only touched in the event loop.
    """

    def __init__(
        self,
        queue: WorkQueue,
        caches: Caches,
        metrics: Metrics,
        clock: Callable[[], float],
        workers: int = 1,
    ) -> None:
        self._queue = queue
        self._caches = caches
        self._drain = DrainRate(queue.weights)
        self._metrics = metrics
        self._clock = clock
        self._changed = threading.Condition()
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._work, name=f"bicross-model-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def tokens_per_s(self, lane: Lane) -> float | None:
        """How fast the lane's work was done when last there was more than a run takes; None before.

        A run that takes all there is says nothing of how fast more would be done.
        """
        with self._changed:
            return self._drain.tokens_per_s(lane)

    def submit(self, order: Order) -> Job:
        """A job whose `answer` will hold a row for each sequence by its index, or the error.

        Raises `DeadlineExceeded` where the deadline has passed.
        """
        now = self._clock()
        answer: asyncio.Future[dict[int, Row]] = self._loop.create_future()
        job = Job(order, now, answer)
        if order.deadline <= now:
            raise self._missed(job)
        with self._changed:
            if self._stopped:
                raise ShuttingDown("the server is shutting down; send to another")
            self._caches.recall(job)
            known = job.complete
            if not known:
                if self._queue.add(job):
                    self._note_start(job, now)
                self._changed.notify()
        if known:
            job.answer.set_result(job.rows_in_order)
        return job

    def withdraw(self, job: Job) -> None:
        """Nobody awaits `job` any more: what has not begun of it never will."""
        with self._changed:
            self._queue.remove(job)
        job.answer.cancel()

    def expire(self, job: Job) -> dict[int, Row]:
        """Withdraws `job`, whose deadline has passed: what was computed of a partial order.

        Raises `DeadlineExceeded` where that is nothing, or where the rest is wanted too.
        """
        with self._changed:
            self._queue.remove(job)
            rows = job.rows_in_order
        if job.order.partial and rows:
            self._count_miss(job)
            return rows
        raise self._missed(job)

    def forget(self, model: ServedModel) -> None:
        """`model` is not served any more: what was learnt of it is dropped."""
        with self._changed:
            self._queue.forget(model)

    def stop(self) -> None:
        """Refuses what waits with `ShuttingDown` and lets the runs in progress end."""
        with self._changed:
            self._stopped = True
            left = self._queue.jobs()
            for job in left:
                self._queue.remove(job)
            self._changed.notify_all()
        for job in left:
            _fail(job, ShuttingDown("the server has shut down before this request's turn"))

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        yield_to_requests()
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        """False at the end. A method of its own, so that who waits for work holds no model."""
        batch = self._next()
        if batch is None:
            return False
        seconds = None
        try:
            awaited = self._drop_expired(batch)
            ran = self._run(awaited) if awaited else None
            seconds = ran if awaited is batch else None
        finally:
            with self._changed:
                self._queue.finish(batch, seconds)
                # A model that was at its limit may run again.
                self._changed.notify()
        return True

    def _next(self) -> Batch | None:
        """Waits for a batch; None at the end."""
        with self._changed:
            while True:
                if batch := self._queue.take(self._clock()):
                    if self._queue:
                        # What one request brought may be a run for another thread, too.
                        self._changed.notify()
                    return batch
                if self._stopped:
                    return None
                self._changed.wait()

    def _drop_expired(self, batch: Batch) -> Batch | None:
        """None where only late jobs want it; one of those that ride takes a late job's place."""
        now, rides = self._clock(), self._queue.rides
        with self._changed:
            jobs = {item.job for item in rides.aboard(batch.items)}
            late = {job for job in jobs if job.order.deadline <= now}
            items = rides.leave(batch.items, late) if late else batch.items
            for job in late:
                self._queue.remove(job)
            for job in jobs - late:
                self._note_start(job, now)
        for job in late:
            self._tell(self._expire_unasked, job)
        if not late:
            return batch
        return Batch(batch.lane, batch.graph, items) if items else None

    def _expire_unasked(self, job: Job) -> None:
        if not job.answer.done():
            try:
                rows = self.expire(job)
            except DeadlineExceeded as error:
                job.answer.set_exception(error)
            else:
                job.answer.set_result(rows)

    def _run(self, batch: Batch) -> float | None:
        """Seconds of a run of `batch`; where that fails, each job runs by itself, so that only
        the odd one fails, and there are none.
        """
        try:
            rows, seconds = self._infer(batch)
            self._deliver(batch, rows)
        except Exception as error:  # noqa: BLE001  whatever a runtime raises, the thread lives on
            parts: dict[Job, list[Item]] = {}
            with self._changed:
                for item in batch.items:
                    for rider in self._queue.rides.land(item):
                        parts.setdefault(rider.job, []).append(rider)
            if len(parts) == 1:
                self._blame(next(iter(parts)), error)
            else:
                for items in parts.values():
                    self._run(Batch(batch.lane, batch.graph, items))
            return None
        return seconds

    def _deliver(self, batch: Batch, rows: list[Row]) -> None:
        model = batch.model
        if model.failures_in_a_row:
            model.failures_in_a_row = 0
            self._metrics.model_ready.labels(model.label).set(model.ready)
        computed = list(zip(batch.items, map(read_only, rows), strict=True))
        jobs, given = set[Job](), 0
        with self._changed:
            self._caches.keep(model, computed)
            for item, row in computed:
                for rider in self._queue.rides.land(item):
                    given += rider.job.give(item.key, row)
                    jobs.add(rider.job)
            complete = [job for job in jobs if job.complete]
        series = self._metrics.of(model.label, batch.lane.value)
        series.shared_texts.inc(given - len(computed))
        for job in complete:
            self._tell(_resolve, job, job.rows_in_order)

    def _infer(self, batch: Batch) -> tuple[list[Row], float]:
        """A row for each item, and the seconds that they took."""
        series = self._metrics.of(batch.model.label, batch.lane.value)
        with self._changed:
            left_more = bool(self._queue)
        begin = self._clock()
        rows: list[Row] = list(
            batch.model.require_encoder().run([item.sequence for item in batch.items])
        )
        end = self._clock()
        tokens, cost = sum(item.length for item in batch.items), batch.cost
        series.infer_seconds.observe(end - begin)
        series.batch_rows.observe(len(batch.items))
        series.batch_fill.observe(tokens / cost)
        series.texts.inc(len(batch.items))
        series.tokens.inc(tokens)
        series.padded_tokens.inc(cost)
        if left_more:
            with self._changed:
                self._drain.add(Run(batch.lane, tokens, begin, end))
        return rows, end - begin

    def _note_start(self, job: Job, now: float) -> None:
        """The first run that holds a sequence of `job` begins, or has begun."""
        if job.started_at is None:
            job.started_at = now
            order = job.order
            series = self._metrics.of(order.model.label, order.lane.value)
            series.queue_seconds.observe(now - job.queued_at)

    def _blame(self, job: Job, error: Exception) -> None:
        model = job.order.model
        model.failures_in_a_row += 1
        self._metrics.model_ready.labels(model.label).set(model.ready)
        cause = error.__cause__ or error
        LOG.error("model %s failed on a batch: %s", model.label, type(cause).__name__)
        with self._changed:
            self._queue.remove(job)
        failure = error if isinstance(error, RequestError) else ModelFailed("the model failed")
        self._tell(_fail, job, failure)

    def _missed(self, job: Job) -> DeadlineExceeded:
        self._count_miss(job)
        done, wanted = len(job.rows), len(job.order.sequences)
        return DeadlineExceeded(
            f"the deadline passed with {done} of {wanted} texts computed; "
            "allow more time or send less"
        )

    def _count_miss(self, job: Job) -> None:
        if not job.missed:
            job.missed = True
            order = job.order
            self._metrics.of(order.model.label, order.lane.value).deadline_misses.inc()

    def _tell(self, act: Callable[..., None], *what: object) -> None:
        # The loop is closed only once nobody awaits an answer.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act, *what)


def _resolve(job: Job, rows: dict[int, Row]) -> None:
    if not job.answer.done():
        job.answer.set_result(rows)


def _fail(job: Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)
