"""The servers under the same load, in turn: the others wait while one is asked."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.serving import machine, results, scenarios
from benchmarks.serving.load.connection import Address, BadAnswer
from benchmarks.serving.load.dialects import Dialect, Speech, WrongAnswer
from benchmarks.serving.models import Models, make_models
from benchmarks.serving.quality import Array
from benchmarks.serving.recipes import Recipe, one_bundle, recipes
from benchmarks.serving.results import Column
from benchmarks.serving.scenarios import Load
from benchmarks.serving.server_rows import agreement, server_rows
from benchmarks.serving.servers import Running, ServerFailed, started
from benchmarks.serving.workload import Workload, describe, make_workload

COLUMNS = (
    Column("server", "server"),
    Column("queries/s", "singles.queries_per_s", ",.0f"),
    Column("x plain", "singles_x", ".2f"),
    Column("x best peer", "singles_x_best_peer", ".2f"),
    Column("p50 ms", "singles.p50_ms", ",.0f"),
    Column("p99 ms", "singles.p99_ms", ",.0f"),
    Column("alone, p50 ms", "alone.p50_ms", ",.1f"),
    Column("bulk tokens/s", "bulk.tokens_per_s", ",.0f"),
    Column("x plain", "bulk_x", ".2f"),
    Column("x best peer", "bulk_x_best_peer", ".2f"),
    Column("window ms", "rerank.p50_ms", ",.0f"),
    Column("x plain", "rerank_x", ".2f"),
    Column("x best peer", "rerank_x_best_peer", ".2f"),
    Column("p99 ms beside bulk", "mixed.p99_ms", ",.0f"),
    Column("bulk kept", "bulk_kept", ".0%"),
    Column("refusal p99 ms", "flood.refusal_p99_ms", ",.1f"),
    Column("ready s", "start_s", ".1f"),
    Column("RSS MiB", "rss_mib", ",.0f"),
)
console = Console(stderr=True, soft_wrap=True)
Answers = tuple[Array, Array]


@dataclass(frozen=True)
class Elsewhere:
    """A server that runs already, what to call it, and the names that it gives the models;
    `rerank_url` is None where it serves both.
    """

    name: str
    url: str
    rerank_url: str | None
    dialect: Dialect
    bi: str
    cross: str

    def running(self) -> Running:
        paths = ("/embed", "/rerank") if self.dialect == "tei" else ("/v1/embeddings", "/v1/rerank")
        speech = Speech(self.dialect, self.bi, self.cross, *paths)
        rerank_at = Address.of(self.rerank_url) if self.rerank_url else None
        return Running(self.name, Address.of(self.url), speech, rerank_at=rerank_at)


@dataclass(frozen=True)
class Plan:
    """`names` choose servers by part of their name, none all; each scenario lasts `seconds`."""

    names: Sequence[str]
    elsewhere: Sequence[Elsewhere]
    rounds: int
    seconds: float
    threads: int


def compare(plan: Plan) -> None:
    """Prints the table and writes results/http.json."""
    models = make_models()
    workload = make_workload(models.bi.tokenizer)
    found: dict[str, Any] = {
        "machine": machine.describe_machine(plan.threads),
        "workload": describe(workload, models.bi.tokenizer),
    }
    with tempfile.TemporaryDirectory() as folder:
        found["generator_ceiling_per_s"] = _ceiling(Path(folder), plan.seconds)
        found |= _measure(plan, models, workload, Path(folder))
    found |= {"rounds": plan.rounds, "seconds_of_a_scenario": plan.seconds}
    title = f"{found['machine']['cpu']}, {plan.threads} threads, over HTTP"
    results.show(title, found["rows"], COLUMNS)
    console.print(f"the generator's own ceiling: {found['generator_ceiling_per_s']:,.0f} a second")
    console.print(f"bicross with one bundle: {results.rounded(found['one_bundle'])}")
    for name, reason in found["left_out"].items():
        console.print(f"not measured: {name}: {reason}")
    console.print(f"written: {results.write('http', found)}")


def _measure(plan: Plan, models: Models, workload: Workload, scratch: Path) -> dict[str, Any]:
    chosen = [recipe for recipe in recipes(models, plan.threads) if _chosen(recipe, plan.names)]
    left_out: dict[str, str] = {}
    with _servers(chosen, scratch, left_out) as local:
        servers = [*local, *(each.running() for each in plan.elsewhere)]
        loads = [scenarios.make_load(server, workload, plan.seconds) for server in servers]
        answers = _answers(loads, workload, left_out)
        asked = [load for load in loads if load.server.name in answers]
        rows = server_rows(asked, plan.rounds, console.print)
    floods = {
        recipe.name: _flooded(recipe, workload, scratch, plan.seconds)
        for recipe in chosen
        if recipe.name in answers and recipe.bounds
    }
    first = next(iter(answers.values()), None)
    alone = one_bundle(models, plan.threads)
    for row in rows:
        row["flood"] = floods.get(row["server"])
        if first is not None:
            row["agreement"] = agreement(first, answers[row["server"]])
    return {"rows": rows, "left_out": left_out, "one_bundle": _started_alone(alone, scratch)}


@contextmanager
def _servers(
    chosen: Sequence[Recipe], scratch: Path, left_out: dict[str, str]
) -> Iterator[list[Running]]:
    """All that start; why the others do not is added to `left_out`."""
    with ExitStack() as stack:
        running = []
        for number, recipe in enumerate(chosen):
            console.print(f"starting {recipe.name}")
            if not recipe.installed:
                left_out[recipe.name] = "not installed; see benchmarks/README.md"
                continue
            try:
                log = scratch / f"server-{number}.log"
                running.append(stack.enter_context(started(recipe, log)))
            except ServerFailed as error:
                left_out[recipe.name] = str(error)
        yield running


def _answers(
    loads: Sequence[Load], workload: Workload, left_out: dict[str, str]
) -> Mapping[str, Answers]:
    """What each server gives for the first batch and the window: none is timed that errs."""
    answers = {}
    for load in loads:
        try:
            answers[load.server.name] = asyncio.run(scenarios.check(load, workload))
        except (WrongAnswer, BadAnswer, OSError) as error:
            left_out[load.server.name] = str(error)
    return answers


def _flooded(recipe: Recipe, workload: Workload, scratch: Path, seconds: float) -> dict[str, Any]:
    """In a process of its own, since what is left of a flood would slow whatever comes next."""
    with started(recipe, scratch / "flood.log") as server:
        load = scenarios.make_load(server, workload, seconds)
        figures = scenarios.run(scenarios.flood, load)
    console.print(f"flood, {recipe.name}: {figures}")
    return figures


def _started_alone(recipe: Recipe, scratch: Path) -> dict[str, float | None]:
    """What a server of one bundle costs before anybody asks it anything."""
    with started(recipe, scratch / "alone.log") as server:
        return {"start_s": server.start_s, "rss_mib": server.rss_mib()}


def _ceiling(scratch: Path, seconds: float) -> float:
    """Single requests a second where the server does nothing."""
    command = (sys.executable, "-m", "benchmarks.serving.peers.trivial", "{port}")
    recipe = Recipe("nothing", command, Speech("openai", "", ""), ready="/")
    with started(recipe, scratch / "trivial.log") as server:
        return scenarios.ceiling(server.address, seconds)


def _chosen(recipe: Recipe, names: Sequence[str]) -> bool:
    return not names or any(name in recipe.name for name in names)
