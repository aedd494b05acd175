"""How fast a precision is beside float32, on this machine, in the runtime's own batches."""

import statistics
import time
from collections.abc import Callable, Sequence

from bicross.runtime import Encoder, TokenSequence
from bicross.runtime.batching import plan_batches
from onnx_export.gate.batches import tokenize
from onnx_export.gate.probes import Probes

ROUNDS = 5
TEXTS = 64
Clock = Callable[[], float]


def compare_speed(
    ours: Encoder, fp32: Encoder, probes: Probes, clock: Clock = time.perf_counter
) -> dict[str, float]:
    """Texts a second as a ratio to float32's: the median of interleaved rounds.

    Both run right after one another in each round, so that what else the machine does meets both.
    """
    sequences = tokenize(fp32, probes.mixed.inputs[:TEXTS])
    ratios = []
    for _ in range(ROUNDS):
        basis = _seconds(fp32, sequences, clock)
        ratios.append(basis / _seconds(ours, sequences, clock))
    return {
        "texts_per_s_vs_fp32": statistics.median(ratios),
        "lowest_round": min(ratios),
        "highest_round": max(ratios),
    }


def _seconds(encoder: Encoder, sequences: Sequence[TokenSequence], clock: Clock) -> float:
    start = clock()
    for batch in plan_batches([sequence.length for sequence in sequences]):
        encoder.run([sequences[index] for index in batch])
    return clock() - start
