"""What a window costs: its latency and the server's memory, by window and passage length."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import tokenizers
from rich.console import Console

from benchmarks.serving import machine, results
from benchmarks.serving.exact_lengths import cut_texts
from benchmarks.serving.load.connection import Connection
from benchmarks.serving.load.dialects import WrongAnswer
from benchmarks.serving.models import make_models
from benchmarks.serving.passages import ROOT
from benchmarks.serving.picture import Line, draw
from benchmarks.serving.recipes import recipes
from benchmarks.serving.results import Column
from benchmarks.serving.servers import Running, started
from benchmarks.serving.workload import make_workload

WINDOWS = (10, 30, 100, 300, 1000)
LENGTHS = (16, 32, 64, 128, 256, 480)
QUERY = "what is the boiling point of water at high altitude"
# A cell is measured again until so much time has gone into it, at most so often.
ENOUGH_S = 3.0
MOST_TURNS = 5
# Longer windows than the server allows by default take longer than it waits by default.
PATIENCE = {"BICROSS_REQUEST_TIMEOUT_S": "3600"}
PICTURES = ROOT / "docs" / "pictures"
COLUMNS = (
    Column("window", "window", "d"),
    Column("passage tokens", "passage_tokens", "d"),
    Column("ms", "ms", ",.0f"),
    Column("tokens/s", "tokens_per_s", ",.0f"),
    Column("peak RSS MiB", "peak_rss_mib", ",.0f"),
)
console = Console(stderr=True, soft_wrap=True)


def measure(threads: int, most_tokens: int) -> None:
    """Prints the table, writes results/curve.json and the pictures of the docs.

    Cells of more than `most_tokens` tokens are left out.
    """
    models = make_models()
    workload = make_workload(models.bi.tokenizer)
    tokenizer = tokenizers.Tokenizer.from_file(str(models.cross.tokenizer))
    about = machine.describe_machine(threads)
    recipe = next(r for r in recipes(models, threads) if r.name == "bicross")
    cells = [cell for cell in _cells() if cell[0] * cell[1] <= most_tokens]
    patient = recipe.with_environment(PATIENCE)
    with (
        tempfile.TemporaryDirectory() as folder,
        started(patient, Path(folder) / "server.log") as server,
    ):
        rows = [
            _row(server, window, cut_texts(workload.passages, tokenizer, length, window), length)
            for window, length in cells
        ]
    results.show(f"one window, {about['cpu']}, {threads} threads", rows, COLUMNS)
    console.print(f"written: {results.write('curve', {'machine': about, 'rows': rows})}")
    for file in write_pictures(rows, PICTURES):
        console.print(f"written: {file}")


def write_pictures(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Latency and memory over the window, a line for each passage length."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        "rerank-latency": ("Time of one window", "milliseconds", "ms"),
        "rerank-memory": ("Most memory of the server", "MiB", "peak_rss_mib"),
    }
    files = []
    for name, (title, unit, key) in wanted.items():
        file = folder / f"{name}.svg"
        file.write_text(draw(title, "passages in the window", unit, _lines(rows, key)))
        files.append(file)
    return files


def _lines(rows: Sequence[Mapping[str, Any]], key: str) -> list[Line]:
    lengths = sorted({row["passage_tokens"] for row in rows})
    return [
        Line(
            f"{length} tokens",
            [(row["window"], row[key]) for row in rows if row["passage_tokens"] == length],
        )
        for length in lengths
    ]


def _cells() -> Iterator[tuple[int, int]]:
    return itertools.product(WINDOWS, LENGTHS)


def _row(server: Running, window: int, passages: Sequence[str], length: int) -> dict[str, Any]:
    body = server.speech.rerank(QUERY, passages)
    request = server.address.request(server.speech.rerank_path, body)
    _forget_peak(server)
    seconds = asyncio.run(_turns(server, request))
    console.print(f"{window} passages of {length} tokens: {median(seconds):.3f} s")
    return {
        "window": window,
        "passage_tokens": length,
        "ms": 1000 * median(seconds),
        "turns": len(seconds),
        "tokens_per_s": window * length / median(seconds),
        "peak_rss_mib": _peak_mib(server),
    }


async def _turns(server: Running, request: bytes) -> list[float]:
    connection = await Connection.open(server.address)
    seconds: list[float] = []
    try:
        while sum(seconds) < ENOUGH_S and len(seconds) < MOST_TURNS:
            begin = time.perf_counter()
            answer = await connection.send(request)
            seconds.append(time.perf_counter() - begin)
            if answer.status != 200:
                raise WrongAnswer(f"status {answer.status}: {answer.body[:200]!r}")
    finally:
        connection.close()
    return seconds


def _forget_peak(server: Running) -> None:
    """Sets the kernel's mark of the most memory that was resident to what is resident now."""
    (_process(server) / "clear_refs").write_text("5")


def _peak_mib(server: Running) -> float:
    status = (_process(server) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _process(server: Running) -> Path:
    if server.process is None:
        raise psutil.NoSuchProcess(0)
    return Path("/proc") / str(server.process.pid)
