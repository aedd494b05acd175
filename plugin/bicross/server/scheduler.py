"""The only module that runs models: batches across requests, one run at a time, in one thread."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from bicross.errors import DeadlineExceeded, ModelFailed, RequestError, ShuttingDown
from bicross.runtime import Row, TokenSequence
from bicross.server.admission import Lane
from bicross.server.catalog import ServedModel
from bicross.server.metrics import Metrics
from bicross.server.work_queue import Item, Job, WorkQueue

LOG = logging.getLogger("bicross.server")

# How much the latest run counts in the machine's measured speed.
RATE_WEIGHT = 0.2


class Scheduler:
    """`start` once, `submit` from the event loop that started it, `stop` at the end.

    The model's thread and the event loop meet in `_queue`, under `_changed`; futures are only
    touched in the event loop.
    """

    def __init__(self, queue: WorkQueue, metrics: Metrics, clock: Callable[[], float]) -> None:
        self.tokens_per_s: float | None = None
        self._queue = queue
        self._metrics = metrics
        self._clock = clock
        self._changed = threading.Condition()
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="bicross-model", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(
        self, model: ServedModel, lane: Lane, sequences: Sequence[TokenSequence], deadline: float
    ) -> Job:
        """A job whose `answer` will hold one row per sequence, or the error.

        Raises `DeadlineExceeded` where `deadline` has passed.
        """
        now = self._clock()
        answer: asyncio.Future[list[Row]] = self._loop.create_future()
        job = Job(model, lane, list(sequences), deadline, now, answer)
        if deadline <= now:
            raise self._missed(job)
        with self._changed:
            if self._stopped:
                raise ShuttingDown("the server is shutting down; send to another")
            self._queue.add(job)
            self._changed.notify()
        return job

    def withdraw(self, job: Job) -> None:
        """Nobody awaits `job` any more: what has not begun of it never will."""
        with self._changed:
            self._queue.remove(job)
        job.answer.cancel()

    def expire(self, job: Job) -> DeadlineExceeded:
        """Withdraws `job`, whose deadline has passed; the error that says so."""
        self.withdraw(job)
        return self._missed(job)

    def stop(self) -> None:
        """Refuses what waits with `ShuttingDown` and lets the run in progress end."""
        with self._changed:
            self._stopped = True
            left = self._queue.jobs()
            for job in left:
                self._queue.remove(job)
            self._changed.notify_all()
        for job in left:
            _fail(job, ShuttingDown("the server has shut down before this request's turn"))

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                batch = self._queue.take()
                while not batch:
                    if self._stopped:
                        return
                    self._changed.wait()
                    batch = self._queue.take()
            if awaited := self._drop_expired(batch):
                self._run(awaited)

    def _drop_expired(self, batch: list[Item]) -> list[Item]:
        now = self._clock()
        for job in {item.job for item in batch if item.job.deadline <= now}:
            with self._changed:
                self._queue.remove(job)
            self._tell(_fail, job, self._missed(job))
        return [item for item in batch if item.job.deadline > now]

    def _run(self, batch: list[Item]) -> None:
        """Runs `batch`; where that fails, each job by itself, so that only the odd one fails."""
        try:
            self._deliver(batch, self._infer(batch))
        except Exception as error:  # noqa: BLE001  whatever a runtime raises, the thread lives on
            jobs = {item.job for item in batch}
            if len(jobs) > 1:
                for job in jobs:
                    self._run([item for item in batch if item.job is job])
            else:
                self._blame(batch[0].job, error)

    def _deliver(self, batch: list[Item], rows: list[Row]) -> None:
        model = batch[0].job.model
        if model.failures_in_a_row:
            model.failures_in_a_row = 0
            self._metrics.model_ready.labels(model.label).set(model.ready)
        for item, row in zip(batch, rows, strict=True):
            item.job.rows[item.index] = row
        for job in {item.job for item in batch}:
            if len(job.rows) == len(job.sequences):
                self._tell(_resolve, job, [job.rows[index] for index in range(len(job.rows))])

    def _infer(self, batch: list[Item]) -> list[Row]:
        model, lane = batch[0].job.model, batch[0].job.lane
        labels = (model.label, lane.value)
        begin = self._clock()
        for job in {item.job for item in batch}:
            if not job.started:
                job.started = True
                self._metrics.queue_seconds.labels(*labels).observe(begin - job.queued_at)
        rows: list[Row] = list(model.require_encoder().run([item.sequence for item in batch]))
        seconds = self._clock() - begin
        tokens = sum(item.sequence.length for item in batch)
        longest = max(item.sequence.length for item in batch)
        self._metrics.infer_seconds.labels(*labels).observe(seconds)
        self._metrics.batch_rows.labels(*labels).observe(len(batch))
        self._metrics.batch_fill.labels(*labels).observe(tokens / (longest * len(batch)))
        self._metrics.texts.labels(*labels).inc(len(batch))
        self._metrics.tokens.labels(*labels).inc(tokens)
        if seconds > 0:
            rate, known = tokens / seconds, self.tokens_per_s
            self.tokens_per_s = rate if known is None else known + RATE_WEIGHT * (rate - known)
        return rows

    def _blame(self, job: Job, error: Exception) -> None:
        model = job.model
        model.failures_in_a_row += 1
        self._metrics.model_ready.labels(model.label).set(model.ready)
        cause = error.__cause__ or error
        LOG.error("model %s failed on a batch: %s", model.label, type(cause).__name__)
        with self._changed:
            self._queue.remove(job)
        failure = error if isinstance(error, RequestError) else ModelFailed("the model failed")
        self._tell(_fail, job, failure)

    def _missed(self, job: Job) -> DeadlineExceeded:
        if not job.missed:
            job.missed = True
            self._metrics.deadline_misses.labels(job.model.label, job.lane.value).inc()
        done, wanted = len(job.rows), len(job.sequences)
        return DeadlineExceeded(
            f"the deadline passed with {done} of {wanted} texts computed; "
            "allow more time or send less"
        )

    def _tell(self, act: Callable[..., None], job: Job, what: object) -> None:
        # The loop is closed only once nobody awaits an answer.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act, job, what)


def _resolve(job: Job, rows: list[Row]) -> None:
    if not job.answer.done():
        job.answer.set_result(rows)


def _fail(job: Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)
