"""What a server with one bundle costs: from its start until it is ready, and in memory.

    python -m benchmarks.footprint BUNDLE [RUNS]

Each run is a new process. Its processor seconds stand beside those of the clock, since the clock
tells of everybody who works on the machine. Memory is taken when it is ready and again after it has
answered bulk requests and single queries for a while. Written to results/footprint.json.
"""

import asyncio
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving import machine, results
from benchmarks.serving.load.clients import Crowd, closed_loop
from benchmarks.serving.load.dialects import Speech
from benchmarks.serving.passages import ROOT
from benchmarks.serving.recipes import Recipe
from benchmarks.serving.results import Column
from benchmarks.serving.servers import Running, started
from bicross.bundle import open_bundle
from bicross.errors import UsageError

RUNS = 5
LOAD_S = 6.0
CLIENTS = 8
# As many as one run of the model takes, about as long as its passages may be.
PASSAGES = ["a passage of some length about a cat on a mat " * 12] * 32
QUERY = "where does the cat sit"
COLUMNS = (
    Column("run", "run", "d"),
    Column("ready s", "ready_s", ".2f"),
    Column("CPU s", "ready_cpu_s", ".2f"),
    Column("RSS MiB, ready", "ready_mib", ",.0f"),
    Column("RSS MiB, after load", "loaded_mib", ",.0f"),
    Column("load average", "load_average", ".1f"),
)


@dataclass(frozen=True)
class Run:
    """Seconds of the clock and of processors until ready, and resident memory in MiB.

    `load_average` is the machine's of the last minute, when the run began.
    """

    ready_s: float
    ready_cpu_s: float
    ready_mib: float | None
    loaded_mib: float | None
    load_average: float


def measure(recipe: Recipe) -> Run:
    with tempfile.TemporaryDirectory() as scratch:
        load_average = os.getloadavg()[0]
        with started(recipe, Path(scratch) / "log") as server:
            cpu_s, ready_mib = server.cpu_s(), server.rss_mib()
            asyncio.run(_load(server))
            return Run(server.start_s, cpu_s, ready_mib, server.rss_mib(), load_average)


async def _load(server: Running) -> None:
    """Bulk and single queries together. Raises `SystemExit` where one is not answered."""
    speech, address = server.speech, server.address
    bodies = [speech.embeddings(PASSAGES, "passage"), speech.embeddings([QUERY], "query")]
    requests = [address.request(speech.embeddings_path, body) for body in bodies]
    tally = await closed_loop(Crowd(address, requests, CLIENTS, LOAD_S))
    if tally.refused or tally.broken or not tally.seconds:
        raise SystemExit(f"requests failed: {tally.broken} broken, {tally.refused.keys()} refused")


def recipe_of(bundle: Path) -> Recipe:
    """The server as it is installed for serving, without torch."""
    command = str(ROOT / ".venv-serving" / "bin" / "bicross")
    name = open_bundle(bundle).manifest.name
    return Recipe(
        "bicross, one bundle",
        (command, "serve", str(bundle), "--port", "{port}"),
        Speech("openai", name, name, encoding="base64", has_input_type=True),
        ready="/health/ready",
    )


def summary(runs: list[Run]) -> dict[str, Any]:
    """The median of each figure, of those runs that have it."""
    records = [asdict(run) for run in runs]
    named = {
        name: [each[name] for each in records if each[name] is not None] for name in records[0]
    }
    return {name: median(found) for name, found in named.items() if found}


def main(arguments: list[str]) -> None:
    if not 1 <= len(arguments) <= 2:
        raise UsageError("usage: python -m benchmarks.footprint BUNDLE [RUNS]")
    recipe = recipe_of(Path(arguments[0]))
    # The first brings files into the system's cache: what is stated is a warm disk's.
    measure(recipe)
    runs = [measure(recipe) for _ in range(int(arguments[1]) if arguments[1:] else RUNS)]
    rows = [{"run": number, **asdict(run)} for number, run in enumerate(runs, 1)]
    results.show(recipe.speech.bi, rows, COLUMNS)
    found = {
        "model": recipe.speech.bi,
        "machine": machine.describe_machine(len(os.sched_getaffinity(0))),
        "median": summary(runs),
        "runs": rows,
    }
    print(results.write("footprint", found))


if __name__ == "__main__":
    main(sys.argv[1:])
