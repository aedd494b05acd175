"""The server, those who ask it, and what is told of both."""

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.footprint import recipe_of
from benchmarks.overload.crowds import MARK, Load, Outcome, overload, unloaded_rate
from benchmarks.serving import machine, results
from benchmarks.serving.figures import percentile
from benchmarks.serving.models import make_bi_encoder
from benchmarks.serving.recipes import NO_CACHES
from benchmarks.serving.results import Column
from benchmarks.serving.servers import Running, started
from benchmarks.serving.workload import Workload, make_workload

BULK = 32
# What found room and was not answered in time has another status.
REFUSED = 429
UNLOADED_S = 10.0
# Of resident memory.
SAMPLE_S = 5.0
COLUMNS = (
    Column("model", "model"),
    Column("offered/s", "offered_passages_per_s", ",.0f"),
    Column("answered", "answered_share", ".1%"),
    Column("of the unloaded rate", "kept_share", ".0%"),
    Column("refusal p50 ms", "refusal.p50_ms", ".1f"),
    Column("p99 ms", "refusal.p99_ms", ".1f"),
    Column("most ms", "refusal.most_ms", ".1f"),
    Column("returns", "returns.came", "d"),
    Column("admitted", "returns.admitted_share", ".0%"),
    Column("query p50 ms", "searches.p50_ms", ".0f"),
    Column("p99 ms", "searches.p99_ms", ".0f"),
    Column("RSS MiB", "rss.median_mib", ",.0f"),
    Column("grew by", "rss.growth_mib", "+,.0f"),
)
Sample = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """`bundle` is MiniLM's where None, `queue_tokens` the server's own setting."""

    bundle: Path | None
    seconds: float
    times: float
    queue_tokens: int | None


def measure(plan: Plan) -> None:
    """Prints the table and writes results/overload.json."""
    bundle = plan.bundle or make_bi_encoder().bundle
    recipe = recipe_of(bundle).with_environment(NO_CACHES)
    if plan.queue_tokens:
        tokens = str(plan.queue_tokens)
        names = ("BICROSS_MAX_QUEUE_TOKENS", "BICROSS_MAX_REQUEST_TOKENS")
        recipe = recipe.with_environment(dict.fromkeys(names, tokens))
    workload = make_workload(bundle / "tokenizer.json")
    with (
        tempfile.TemporaryDirectory() as scratch,
        started(recipe, Path(scratch) / "log") as server,
    ):
        figures = asked_too_much(server, make_load(server, workload), plan)
    found = {
        "model": recipe.speech.bi,
        "machine": machine.describe_machine(len(os.sched_getaffinity(0))),
        "minutes": plan.seconds / 60,
        "times_the_unloaded_rate": plan.times,
        "queue_tokens": plan.queue_tokens,
        **figures,
    }
    results.show("asked for too much", [found], COLUMNS)
    print(results.write("overload", found))


def make_load(server: Running, workload: Workload) -> Load:
    address, speech = server.address, server.speech
    passages = [f"{MARK.decode()} {passage}" for passage in sorted(workload.passages, key=len)]
    # Of all lengths alike: a server that does short requests first would seem fast by leaving the
    # long ones.
    requests = len(passages) // BULK
    batches = [passages[first::requests] for first in range(requests)]

    def request(texts: list[str], input_type: str) -> bytes:
        return address.request(speech.embeddings_path, speech.embeddings(texts, input_type))

    return Load(
        address,
        [request(batch, "passage") for batch in batches],
        [request([query], "query") for query in workload.queries],
    )


def asked_too_much(server: Running, load: Load, plan: Plan, unloaded_s: float = UNLOADED_S) -> Any:  # noqa: ANN401  any JSON
    """The figures; the crowds are a process of their own, so that nothing here delays them."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        rate = pool.submit(unloaded_rate, load, unloaded_s).result()
        asking = pool.submit(overload, load, plan.times * rate, plan.seconds)
        samples = _memory(server, asking)
        return _figures(asking.result(), rate, plan.times * rate) | {"rss": _growth(samples)}


def _memory(server: Running, asking: "Future[Outcome]") -> list[Sample]:
    """Seconds and resident MiB, until the crowds have gone."""
    begin = time.monotonic()
    samples: list[Sample] = []
    while True:
        done = wait([asking], timeout=SAMPLE_S if samples else 0.0).done
        samples.append((time.monotonic() - begin, server.rss_mib() or 0.0))
        if done:
            return samples


def _growth(samples: list[Sample]) -> dict[str, Any]:
    """From the first sample; `second_half_mib` is what the second half of the time added."""
    sizes = [mib for _, mib in samples]
    half = sizes[len(sizes) // 2 :]
    return {
        "start_mib": sizes[0],
        "median_mib": median(sizes),
        "most_mib": max(sizes),
        "end_mib": sizes[-1],
        "growth_mib": sizes[-1] - sizes[0],
        "second_half_mib": half[-1] - half[0],
        "samples": samples,
    }


def _figures(outcome: Outcome, unloaded: float, offered: float) -> dict[str, Any]:
    flood, searches, returns = outcome.flood, outcome.searches, outcome.returns
    failed = {str(status): len(times) for status, times in flood.refused.items()}
    asked = len(flood.seconds) + sum(failed.values()) + flood.broken
    answered = (len(flood.seconds) + returns.answered) / flood.lasted_s
    return {
        "unloaded_passages_per_s": unloaded * BULK,
        "offered_passages_per_s": offered * BULK,
        "answered_passages_per_s": answered * BULK,
        "kept_share": answered / unloaded,
        "answered_share": len(flood.seconds) / asked if asked else None,
        "waiting_at_the_end": outcome.waiting,
        "failed": failed,
        "broken": flood.broken,
        "refusal": _latencies(flood.refused.get(REFUSED, [])),
        "returns": {
            "came": returns.came,
            "admitted_share": 1 - returns.refused / returns.came if returns.came else None,
        },
        "searches": _latencies(searches.seconds)
        | {"failed": searches.broken + sum(map(len, searches.refused.values()))},
    }


def _latencies(seconds: list[float]) -> dict[str, Any]:
    if not seconds:
        return {"p50_ms": None, "p99_ms": None, "most_ms": None}
    return {
        "p50_ms": 1000 * percentile(seconds, 50),
        "p99_ms": 1000 * percentile(seconds, 99),
        "most_ms": 1000 * max(seconds),
    }
