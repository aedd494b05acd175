"""Rounds of all workers in turn, and the rows of the table made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.serving import quality
from benchmarks.serving.crew import Worker, WorkerFailed
from benchmarks.serving.figures import rotated, speedup, summarise
from benchmarks.serving.variants import BASELINE

TASKS = ("passages", "window")


@dataclass(frozen=True)
class Timings:
    """Seconds of each round: on the wall, and of all the process' threads on the cores."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, answer: Mapping[str, float]) -> None:
        self.wall.append(answer["seconds"])
        self.cpu.append(answer["cpu_seconds"])


@dataclass(frozen=True)
class Size:
    """What a task is: `tokens` of text and `flops` of products that these need."""

    tokens: int
    flops: float


def run_rounds(
    workers: Sequence[Worker], rounds: int, between: Callable[[int], None]
) -> dict[str, dict[str, Timings]]:
    """Timings by variant and task.

    `between` is called at the begin of each round with its number. A task's turns follow upon each
    other, so that a round's ratios compare neighbours in time.
    """
    found = {worker.variant.name: {task: Timings() for task in TASKS} for worker in workers}
    for number in range(rounds):
        between(number)
        for task in TASKS:
            for worker in rotated(workers, number):
                found[worker.variant.name][task].add(worker.ask(task))
    return found


def judge(workers: Sequence[Worker], scratch: Path) -> dict[str, dict[str, float] | str]:
    """Quality against the baseline, by what a variant computes; why, where there is none."""
    files: dict[str, Path] = {}
    refused: dict[str, dict[str, float] | str] = {}
    for worker in workers:
        computes = worker.variant.computes
        if computes in files or computes in refused:
            continue
        file = scratch / f"judged-{len(files)}.npz"
        try:
            worker.ask("judge", file=str(file))
            files[computes] = file
        except WorkerFailed as error:
            refused[computes] = str(error)
    reference = np.load(files[_computed_by_baseline(workers)])
    return refused | {
        computes: quality.judge(reference, np.load(file)) for computes, file in files.items()
    }


def rows(
    workers: Sequence[Worker],
    timings: Mapping[str, Mapping[str, Timings]],
    sizes: Mapping[str, Size],
    peak_gflops: float,
) -> list[dict[str, Any]]:
    """A row for each variant, in the order of the workers."""
    base = timings[BASELINE]
    return [
        {"variant": worker.variant.name}
        | _speed(timings[worker.variant.name], sizes, peak_gflops)
        | {
            f"{task}_{clock}x": speedup(
                getattr(base[task], attribute),
                getattr(timings[worker.variant.name][task], attribute),
            )
            for task in TASKS
            for clock, attribute in (("", "wall"), ("cpu_", "cpu"))
        }
        for worker in workers
    ]


def _speed(
    own: Mapping[str, Timings], sizes: Mapping[str, Size], peak_gflops: float
) -> dict[str, Any]:
    passages, window = median(own["passages"].wall), median(own["window"].wall)
    return {
        "tokens_per_s": sizes["passages"].tokens / passages,
        "window_ms": 1000 * window,
        "passages_gflops": sizes["passages"].flops / passages / 1e9,
        "window_gflops": sizes["window"].flops / window / 1e9,
        "peak_share": sizes["passages"].flops / passages / 1e9 / peak_gflops,
        "window_peak_share": sizes["window"].flops / window / 1e9 / peak_gflops,
        "seconds": {task: summarise(own[task].wall) for task in TASKS},
        "cpu_seconds": {task: summarise(own[task].cpu) for task in TASKS},
    }


def _computed_by_baseline(workers: Sequence[Worker]) -> str:
    return next(w.variant.computes for w in workers if w.variant.name == BASELINE)
