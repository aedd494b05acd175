"""A scheduler over a gated model, and a clock that only tests move."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bicross.bundle.record import InputType
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.caches import Caches
from bicross.server.scheduling.filling import Size
from bicross.server.scheduling.lane import Lane
from bicross.server.scheduling.scheduler import Scheduler
from bicross.server.scheduling.work import Order
from bicross.server.scheduling.work_queue import SEARCH_RUNS, Sharing, WorkQueue
from bicross.server.telemetry.metrics import Metrics


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    scheduler: Scheduler
    metrics: Metrics
    model: ServedModel
    clock: Clock

    @property
    def gate(self) -> Any:
        """The model's encoder, the `Gated` of conftest.py."""
        return self.model.encoder

    def submit(
        self,
        *texts: str,
        lane: Lane = Lane.INGEST,
        deadline: float = 10.0,
        input_type: InputType = "passage",
        model: ServedModel | None = None,
    ) -> Any:
        sequences = self.gate.tokenize(texts, input_type)
        return self.scheduler.submit(Order(model or self.model, lane, sequences, deadline))

    def submit_poison(self, text: str, *others: str) -> Any:
        """A job at whose first sequence the gate runs out of memory."""
        first, *rest = self.gate.tokenize([text, *others], "passage")
        poison = replace(first, full_length=-1)
        return self.scheduler.submit(Order(self.model, Lane.INGEST, [poison, *rest], 10.0))

    async def entered(self) -> None:
        """The model's thread has begun a batch and stands before the gate."""
        assert await asyncio.to_thread(self.gate.entered.acquire, timeout=30)

    def count(self, name: str, lane: Lane = Lane.INGEST) -> float | None:
        labels = {"model": self.model.label, "lane": lane.value}
        return self.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def running(model: ServedModel, sharing: Sharing, workers: int) -> AsyncIterator[Bench]:
    clock, metrics = Clock(), Metrics()
    caches = Caches({"query": 1 << 20, "score": 0}, metrics)
    scheduler = Scheduler(WorkQueue(sharing), caches, metrics, clock, workers)
    scheduler.start()
    made = Bench(scheduler, metrics, model, clock)
    yield made
    made.gate.opened.set()
    scheduler.stop()
    await asyncio.to_thread(scheduler.join)


@pytest.fixture
async def bench(gated_model: ServedModel) -> AsyncIterator[Bench]:
    async with running(gated_model, Sharing(Size(1000, 8)), 1) as made:
        yield made


@pytest.fixture
async def wide_bench(gated_model: ServedModel, gate: Callable[..., Any]) -> AsyncIterator[Bench]:
    """Two streams, and a thread that ingest leaves to searches; each text is a run of its own."""
    gate(gated_model, streams=2)
    sharing = Sharing(Size(1000, 1), ingest_runs=2)
    async with running(gated_model, sharing, 2 + SEARCH_RUNS) as made:
        yield made
