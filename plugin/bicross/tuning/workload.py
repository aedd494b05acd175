"""What is timed: the sample's sequences, lengths mixed as they come in practice."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from bicross.runtime import CrossEncoder, Encoder, TokenSequence, plan_batches
from bicross.runtime.batching import MAX_ROWS
from bicross.runtime.ranking.samples import Sample
from bicross.tuning.choice import Setting

WINDOW = 100


@dataclass(frozen=True)
class Workload:
    """Passages in batches, or for a reranker a window of pairs under one query."""

    sequences: tuple[TokenSequence, ...]

    @property
    def tokens(self) -> int:
        return sum(sequence.length for sequence in self.sequences)


def workload(encoder: Encoder, sample: Sample) -> Workload:
    """The passages of `sample`; for a reranker `WINDOW` of them, repeated where there are fewer."""
    if isinstance(encoder, CrossEncoder):
        repeats = -(-WINDOW // len(sample.passages))
        passages = (sample.passages * repeats)[:WINDOW]
        return Workload(tuple(encoder.tokenize(sample.queries[0], passages)))
    return Workload(tuple(encoder.tokenize(sample.passages, "passage")))


def runner(encoder: Encoder, work: Workload, setting: Setting) -> Callable[[], None]:
    """Runs all of `work` once, as many batches at a time as there are streams."""
    plan = plan_batches([each.length for each in work.sequences], setting.batch_tokens, MAX_ROWS)
    batches = [[work.sequences[index] for index in batch] for batch in plan]

    def run() -> None:
        with ThreadPoolExecutor(setting.streams) as pool:
            for _ in pool.map(encoder.run, batches):
                pass

    return run


def interleave(
    runs: Sequence[Callable[[], None]], rounds: int, clock: Callable[[], float]
) -> list[float]:
    """The median seconds of each, after one run unmeasured.

    Each round runs all of them in turn, so that what else the machine does meets all alike.
    """
    for run in runs:
        run()
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for index, run in enumerate(runs):
            start = clock()
            run()
            seconds[index].append(clock() - start)
    return [median(each) for each in seconds]
