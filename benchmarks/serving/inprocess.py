"""The two models in every library that can run them, a process for each, in turn."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.serving import machine, results
from benchmarks.serving.comparison import Size, judge, rows, run_rounds
from benchmarks.serving.crew import Worker, crew
from benchmarks.serving.models import Model, Models, make_models
from benchmarks.serving.passages import count_tokens
from benchmarks.serving.results import Column
from benchmarks.serving.variants import choose
from benchmarks.serving.work_per_token import Shape, flops
from benchmarks.serving.workload import Workload, describe, make_workload
from bicross.bundle import open_bundle
from bicross.runtime import Tokenizer

COLUMNS = (
    Column("variant", "variant"),
    Column("tokens/s", "tokens_per_s", ",.0f"),
    Column("x torch", "passages_x", ".2f"),
    Column("cpu x", "passages_cpu_x", ".2f"),
    Column("of peak", "peak_share", ".0%"),
    Column("window ms", "window_ms", ",.0f"),
    Column("x torch", "window_x", ".2f"),
    Column("cpu x", "window_cpu_x", ".2f"),
    Column("top 10", "cross_overlap", ".3f"),
    Column("tau", "cross_tau", ".3f"),
    Column("top 10, bi", "bi_overlap", ".3f"),
    Column("moves by", "moves_by", ".0e"),
    Column("RSS MiB", "rss_mib", ",.0f"),
)
console = Console(stderr=True, soft_wrap=True)


def compare(names: Sequence[str], rounds: int, threads: int) -> None:
    """Prints the table and writes results/inprocess.json. `names` choose variants, none all."""
    models = make_models()
    workload = make_workload(models.bi.tokenizer)
    about = machine.describe_machine(threads)
    variants, left_out = choose(names, machine.cpu_flags())
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        workload.write(scratch / "texts.json")
        order = {
            "texts": str(scratch / "texts.json"),
            "models": models.paths(),
            "threads": threads,
        }
        with crew(variants, order, scratch) as (workers, failed):
            found = _measure(workers, rounds, threads, sizes(models, workload), scratch)
    found = {
        "machine": about | found.pop("machine"),
        "workload": describe(workload, models.bi.tokenizer),
        "rounds": rounds,
        "left_out": left_out | failed,
    } | found
    results.show(f"{about['cpu']}, {threads} threads, {rounds} rounds", found["rows"], COLUMNS)
    for name, reason in found["left_out"].items():
        console.print(f"not measured: {name}: {reason}")
    console.print(f"written: {results.write('inprocess', found)}")


def sizes(models: Models, workload: Workload) -> dict[str, Size]:
    window = workload.windows[0]
    lengths = count_tokens(workload.passages, models.bi.tokenizer)
    pairs = Tokenizer.load(open_bundle(models.cross.bundle)).encode_pairs(
        window.query, window.passages
    )
    return {
        "passages": _size(models.bi, lengths),
        "window": _size(models.cross, [pair.length for pair in pairs]),
    }


def _size(model: Model, lengths: Sequence[int]) -> Size:
    return Size(sum(lengths), flops(Shape.read(model.bundle / "config.json"), lengths))


def _measure(
    workers: Sequence[Worker], rounds: int, threads: int, sized: dict[str, Size], scratch: Path
) -> dict[str, Any]:
    peaks: list[float] = []

    def begin_round(number: int) -> None:
        peaks.append(machine.gemm_gflops(threads))
        console.print(f"round {number + 1} of {rounds}; float32 products {peaks[-1]:.0f} GFLOP/s")

    timings = run_rounds(workers, rounds, begin_round)
    peak = max(peaks)
    judged = judge(workers, scratch)
    table = rows(workers, timings, sized, peak)
    for worker, row in zip(workers, table, strict=True):
        quality = judged[worker.variant.computes]
        row.update(quality if isinstance(quality, dict) else {"not_judged": quality})
        row["rss_mib"] = worker.rss_mib()
    bf16 = machine.gemm_gflops(threads, "bfloat16", tries=2)
    return {
        "machine": {
            "gemm_gflops": {"float32": peak, "bfloat16": bf16},
            "gemm_gflops_by_round": {"least": min(peaks), "median": median(peaks)},
        },
        "rows": table,
    }
