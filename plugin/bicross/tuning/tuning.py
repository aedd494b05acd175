"""Measures every pair that passes, then the sizes of the fastest."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bicross.bundle import Bundle
from bicross.errors import BicrossError, GateFailed
from bicross.runtime import (
    Encoder,
    Execution,
    available_threads,
    installed_engines,
    open_encoder,
    runnable_precisions,
    self_test,
)
from bicross.runtime.ranking.samples import Sample
from bicross.tuning.choice import Pair, Setting, Speed, fastest, untuned
from bicross.tuning.gate import Agreement, Answers, answer, compare
from bicross.tuning.record import Row, Tuning, sample_key
from bicross.tuning.workload import Workload, interleave, runner, workload

BATCH_TOKENS = (256, 512, 1024, 2048, 4096)
PADDINGS = (1, 16, 32)
ROUNDS = 3
Narrate = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What every measurement shares."""

    bundle: Bundle
    sample: Sample
    narrate: Narrate
    rounds: int = ROUNDS
    clock: Callable[[], float] = time.perf_counter

    def time(self, trials: Sequence[tuple[Pair, Setting]]) -> list[tuple[Speed, float]]:
        """Speed and median seconds of each, interleaved; all of them are loaded at once."""
        loaded: dict[tuple[Pair, int, int, int], Encoder] = {}
        runs, work = [], Workload(())
        for pair, setting in trials:
            key = (pair, setting.streams, setting.threads, setting.pad_to)
            if key not in loaded:
                loaded[key] = open_encoder(self.bundle, execution(pair, setting))
            work = workload(loaded[key], self.sample)
            runs.append(runner(loaded[key], work, setting))
        seconds = interleave(runs, self.rounds, self.clock)
        return [
            (Speed(pair, setting, work.tokens / spent), spent)
            for (pair, setting), spent in zip(trials, seconds, strict=True)
        ]


def execution(pair: Pair, setting: Setting) -> Execution:
    return Execution(pair.engine, pair.precision, setting.threads, setting.streams, setting.pad_to)


def pairs(bundle: Bundle) -> list[Pair]:
    """Every installed engine with every precision of the bundle that it runs."""
    manifest = bundle.manifest
    return [
        Pair(engine, precision)
        for engine in installed_engines()
        for precision in runnable_precisions(manifest, engine)
    ]


def tune(bench: Bench) -> Tuning:
    """Raises `GateFailed` where no pair passes."""
    refused, passed = _judge(bench)
    if not passed:
        told = "; ".join(f"{row.pair}: {row.reason}" for row in refused)
        raise GateFailed(
            f"no engine serves {bench.bundle.manifest.name} here: {told}; export again"
        )
    threads = available_threads()
    default = untuned(threads)
    shapes = [
        replace(default, streams=streams) for streams in sorted({1, default.streams, threads})
    ]
    bench.narrate(f"timing {len(passed)} pairs in {len(shapes)} shapes")
    timed = bench.time([(pair, shape) for pair in passed for shape in shapes])
    best = fastest([speed for speed, _ in timed])
    rows = {pair: _row(_of(timed, pair), passed[pair]) for pair in passed}
    bench.narrate(f"timing batches of {best.pair}")
    sizes = [replace(best.setting, batch_tokens=tokens) for tokens in BATCH_TOKENS]
    sized = bench.time([(best.pair, size) for size in sizes])
    setting = fastest([speed for speed, _ in sized]).setting
    steps = [(best.pair, replace(setting, pad_to=step)) for step in PADDINGS]
    others = [(pair, row.setting) for pair, row in rows.items() if pair != best.pair]
    bench.narrate("timing what was found beside the default")
    # One run for all that is shown, so that its ratios are of like with like.
    *final, (base, _) = bench.time([*steps, *others, (_default(passed), default)])
    rows = {pair: _row(_of(final, pair), passed[pair]) for pair in passed}
    sample = bench.sample
    return Tuning(
        model=bench.bundle.manifest.name,
        digest=bench.bundle.manifest.digest,
        sample=sample_key(sample.origin, sample.queries + sample.passages),
        rows=[*rows.values(), *refused],
        chosen=rows[best.pair],
        baseline=base.tokens_per_s,
    )


def _judge(bench: Bench) -> tuple[list[Row], dict[Pair, Agreement | None]]:
    """The pairs refused, and those that reproduce the goldens and keep the ranking.

    The float32 graph in onnxruntime comes first and is what the others are compared with. A
    bundle without one has its gate's word for what onnxruntime runs.
    """
    refused: list[Row] = []
    passed: dict[Pair, Agreement | None] = {}
    reference: Answers | None = None
    for pair in sorted(pairs(bench.bundle), key=lambda each: each.simplicity):
        bench.narrate(f"goldens and ranking of {pair}")
        agreement = None
        try:
            encoder = open_encoder(
                bench.bundle, execution(pair, Setting(threads=available_threads()))
            )
            self_test(encoder, bench.bundle)
            answers = answer(encoder, bench.sample)
        except BicrossError as error:
            refused.append(Row(pair, Setting(), reason=str(error)))
            continue
        if reference is None:
            reference = answers
        else:
            agreement = compare(answers, reference, pair.precision)
        if agreement is not None and agreement.reason:
            refused.append(Row(pair, Setting(), agreement=agreement, reason=agreement.reason))
        else:
            passed[pair] = agreement
    return refused, passed


def _default(passed: Iterable[Pair]) -> Pair:
    """What is served without tuning: onnxruntime and fp32, else the simplest there is."""
    return min(passed, key=lambda each: each.simplicity)


def _of(timed: list[tuple[Speed, float]], pair: Pair) -> list[tuple[Speed, float]]:
    return [each for each in timed if each[0].pair == pair]


def _row(timed: list[tuple[Speed, float]], agreement: Agreement | None) -> Row:
    best = fastest([speed for speed, _ in timed])
    seconds = next(spent for speed, spent in timed if speed == best)
    return Row(best.pair, best.setting, best.tokens_per_s, seconds, agreement)
