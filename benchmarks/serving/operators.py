"""Where the time of bicross' runtime goes: tokenising, padding, arrays, and each operator."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.serving import machine, results
from benchmarks.serving.figures import shares
from benchmarks.serving.models import Model, make_models
from benchmarks.serving.onnx_trace import operator_seconds, read_trace, traced_engine
from benchmarks.serving.results import Column
from benchmarks.serving.work_per_token import Shape, flops
from benchmarks.serving.workload import Workload, describe, make_workload
from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder, CrossEncoder, Session, TokenSequence, pad, plan_batches
from bicross.runtime.engine.onnxruntime_graph import OnnxRuntimeGraph

COLUMNS = (
    Column("where", "where"),
    Column("passages", "passages", ".1%"),
    Column("window", "window", ".1%"),
)
SHOWN = 12
console = Console(stderr=True, soft_wrap=True)


@dataclass(frozen=True)
class Rows:
    """One task's rows, how long tokenising them took, and the session that runs them."""

    sequences: Sequence[TokenSequence]
    tokenize_s: float
    session: Session
    graph: Path
    pad_id: int
    shape: Shape

    @property
    def tokens(self) -> int:
        return sum(sequence.length for sequence in self.sequences)


def profile(threads: int, token_budget: int) -> None:
    """Prints the shares and writes results/profile.json."""
    models = make_models()
    workload = make_workload(models.bi.tokenizer)
    peak = machine.gemm_gflops(threads)
    found = {}
    for name, rows in (
        ("passages", _passages(models.bi, workload, threads)),
        ("window", _window(models.cross, workload, threads)),
    ):
        found[name] = _profiled(rows, threads, token_budget, peak)
        console.print(f"{name}: {results.rounded(found[name]['figures'])}")
    names = list(dict.fromkeys(place for task in found.values() for place in task["shares"]))
    table = [
        {"where": name} | {task: found[task]["shares"].get(name) for task in found}
        for name in names[:SHOWN]
    ]
    results.show(f"shares of the time, batches of {token_budget} tokens", table, COLUMNS)
    about = machine.describe_machine(threads) | {"gemm_gflops": {"float32": peak}}
    written = results.write(
        "profile",
        {
            "machine": about,
            "workload": describe(workload, models.bi.tokenizer),
            "token_budget": token_budget,
            **found,
        },
    )
    console.print(f"written: {written}")


def _profiled(rows: Rows, threads: int, token_budget: int, peak: float) -> dict[str, Any]:
    lengths = [sequence.length for sequence in rows.sequences]
    batches = plan_batches(lengths, token_budget)
    pad_s, run_s = _run(rows, batches)
    padded = sum(len(batch) * lengths[batch[0]] for batch in batches)
    with tempfile.TemporaryDirectory() as folder:
        engine = traced_engine(rows.graph, threads, Path(folder))
        traced = replace(rows, session=replace(rows.session, graph=OnnxRuntimeGraph(engine)))
        _run(traced, batches)
        operators = operator_seconds(read_trace(engine))
    # The trace itself costs time: its shares are laid over the time measured without it.
    kernels = shares(operators)
    total = rows.tokenize_s + pad_s + run_s
    places: dict[str, float] = {"tokenising": rows.tokenize_s, "arrays": pad_s}
    places |= {name: share * run_s for name, share in kernels.items()}
    work = flops(rows.shape, lengths)
    return {
        "figures": {
            "tokens": rows.tokens,
            "batches": len(batches),
            "padding_ratio": padded / rows.tokens,
            "tokens_per_s": rows.tokens / total,
            "gflops": work / total / 1e9,
            "share_of_float32_peak": work / total / 1e9 / peak,
            "products_share_of_float32_peak": work / _products_s(operators, run_s) / 1e9 / peak,
        },
        "shares": shares(places),
    }


def _products_s(operators: Mapping[str, float], run_s: float) -> float:
    """Seconds within products of matrices, fused ones included."""
    named = ("MatMul", "Gemm", "Attention")
    inside = sum(s for name, s in operators.items() if any(part in name for part in named))
    return run_s * inside / sum(operators.values())


def _run(rows: Rows, batches: Sequence[Sequence[int]]) -> tuple[float, float]:
    """Seconds that padding into arrays took, and the model's runs, after one unmeasured turn."""
    for _ in range(2):
        pad_s = run_s = 0.0
        for batch in batches:
            begin = time.perf_counter()
            arrays = pad([rows.sequences[index] for index in batch], rows.pad_id)
            middle = time.perf_counter()
            rows.session.run(arrays)
            pad_s, run_s = pad_s + middle - begin, run_s + time.perf_counter() - middle
    return pad_s, run_s


def _passages(model: Model, workload: Workload, threads: int) -> Rows:
    encoder = BiEncoder.load(open_bundle(model.bundle), threads=threads)
    encoder.tokenize(workload.passages, "passage")
    begin = time.perf_counter()
    sequences = encoder.tokenize(workload.passages, "passage")
    seconds = time.perf_counter() - begin
    shape = Shape.read(model.bundle / "config.json")
    return Rows(sequences, seconds, encoder.session, model.graph, encoder.tokenizer.pad_id, shape)


def _window(model: Model, workload: Workload, threads: int) -> Rows:
    encoder = CrossEncoder.load(open_bundle(model.bundle), threads=threads)
    window = workload.windows[0]
    encoder.tokenize(window.query, window.passages)
    begin = time.perf_counter()
    sequences = encoder.tokenize(window.query, window.passages)
    seconds = time.perf_counter() - begin
    shape = Shape.read(model.bundle / "config.json")
    return Rows(sequences, seconds, encoder.session, model.graph, encoder.tokenizer.pad_id, shape)
