"""The worker processes: started one after another, then idle until one of them is asked."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.passages import ROOT
from benchmarks.serving.variants import Variant
from benchmarks.serving.worker import Order

MIB = 1 << 20


class WorkerFailed(Exception):
    """A variant's process ended; the reason is the last line that it wrote."""


@dataclass(frozen=True)
class Worker:
    variant: Variant
    process: "subprocess.Popen[str]"
    log: Path

    def ask(self, do: str, **more: str) -> dict[str, Any]:
        """Raises `WorkerFailed` where the process ends instead of answering."""
        if self.process.stdin is None or self.process.stdout is None:
            raise TypeError(self.variant.name)
        try:
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise WorkerFailed(self.last_words()) from error
        return self.read()

    def read(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise WorkerFailed(self.last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def rss_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / MIB)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


@contextmanager
def crew(
    variants: Sequence[Variant], order: Mapping[str, Any], scratch: Path
) -> Iterator[tuple[list[Worker], dict[str, str]]]:
    """Workers whose models have run once, and why the others' have not."""
    with ExitStack() as stack:
        workers: list[Worker] = []
        failed: dict[str, str] = {}
        for number, variant in enumerate(variants):
            log = scratch / f"worker-{number}.log"
            worker = stack.enter_context(_started(variant, order, log))
            try:
                worker.read()
                # Once unmeasured: libraries choose kernels and take memory at the first run.
                worker.ask("window")
                workers.append(worker)
            except WorkerFailed as error:
                failed[variant.name] = str(error)
        yield workers, failed


@contextmanager
def _started(variant: Variant, order: Mapping[str, Any], log: Path) -> Iterator[Worker]:
    what = Order(module=variant.module, options=variant.options, **order)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": str(what.threads),
        "RAYON_NUM_THREADS": str(what.threads),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    command = [str(variant.python), "-m", "benchmarks.serving.worker", json.dumps(asdict(what))]
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=environment,
        )
    try:
        yield Worker(variant, process, log)
    finally:
        process.kill()
        process.communicate()
