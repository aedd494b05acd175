"""One variant in a process of its own: commands come as lines of JSON, and so do the answers.

Run as `python -m benchmarks.serving.worker ORDER`, by whatever interpreter has the variant's
library; only that library and numpy are needed. ORDER is a JSON object, see `Order`.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from benchmarks.serving.engines.engine import Engine, Load, Paths


@dataclass(frozen=True)
class Order:
    """`module` of benchmarks.serving.engines; `texts` is the workload's file."""

    module: str
    texts: str
    models: dict[str, dict[str, str]]
    threads: int
    options: dict[str, Any]

    def load(self, cross: str) -> Engine:
        """The engine with the bi-encoder and that cross-encoder of `models`."""
        module = importlib.import_module(f"benchmarks.serving.engines.{self.module}")
        bi, chosen = (Paths.of(self.models[role]) for role in ("bi", cross))
        load = Load(bi, chosen, self.threads, self.options)
        engine: Engine = module.engine(load)
        return engine


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    # Libraries print; the answers have the real stdout to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    texts = json.loads(Path(order.texts).read_bytes())
    engine = order.load("cross")
    tell(answers, {"ready": True})
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "passages":
                tell(answers, timed(partial(engine.encode, texts["passages"])))
            case "window":
                tell(answers, timed(partial(engine.score, **texts["windows"][0])))
            case "judge":
                judge(order, engine, texts, Path(command["file"]))
                tell(answers, {"file": command["file"]})


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds on the wall, and of all this process' threads on the cores."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def judge(order: Order, engine: Engine, texts: dict[str, Any], file: Path) -> None:
    """Writes what quality is judged by: vectors, each also alone, and the whole model's scores."""
    passages = texts["passages"]
    few = passages[:32]
    whole = order.load("whole_cross")
    np.savez(
        file,
        passages=engine.encode(passages),
        alone=np.concatenate([engine.encode([text]) for text in few]),
        queries=engine.encode(texts["queries"]),
        windows=np.stack([whole.score(**window) for window in texts["windows"]]),
    )


def tell(stream: TextIO, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
