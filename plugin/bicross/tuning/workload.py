"""What is timed: the sample's sequences, lengths mixed as they come in practice."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from statistics import median

from bicross.runtime import CrossEncoder, Encoder, TokenSequence, plan_batches
from bicross.runtime.batching import MAX_ROWS
from bicross.runtime.ranking.samples import Sample
from bicross.tuning.choice import Setting

WINDOW = 100
# So many passages of the sample make one of those that are timed, in turn: with the built-in ones
# that gives some 20 to 250 tokens, as passages of documents have.
JOINED = (1, 2, 3, 4, 6, 8, 12)


@dataclass(frozen=True)
class Workload:
    """Passages in batches, or for a reranker a window of pairs under one query."""

    sequences: tuple[TokenSequence, ...]

    @property
    def tokens(self) -> int:
        return sum(sequence.length for sequence in self.sequences)


def workload(encoder: Encoder, sample: Sample) -> Workload:
    """One passage for each of `sample`, and for a reranker a window under the first query."""
    if isinstance(encoder, CrossEncoder):
        texts = mixed_lengths(sample.passages, WINDOW)
        return Workload(tuple(encoder.tokenize(sample.queries[0], texts)))
    texts = mixed_lengths(sample.passages, len(sample.passages))
    return Workload(tuple(encoder.tokenize(texts, "passage")))


def mixed_lengths(passages: Sequence[str], count: int) -> list[str]:
    """`count` texts, each of as many passages in a row as `JOINED` says."""
    return [
        " ".join(passages[(start + step) % len(passages)] for step in range(joined))
        for start, joined in zip(range(count), cycle(JOINED), strict=False)
    ]


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
