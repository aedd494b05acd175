"""Goldens of a graph that has no original beside it: its own numbers on this machine.

A dynamically quantized graph scales its activations by the whole batch, so that its numbers move
with what is batched together. How far they move is measured, and is its bound. A second graph of
the same folder is held to the first one's numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bicross.bundle import Bound, Goldens
from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.bundle.matrix import Matrix
from bicross.errors import GateFailed
from bicross.runtime import Encoder, FloatArray
from onnx_export.gate.batches import Input, run_batches, tokenize
from onnx_export.gate.figures import Numbers, largest_difference, smallest_tau
from onnx_export.gate.samples import Sample
from onnx_export.gate.standards import STANDARDS
from onnx_export.gate.tolerance import Tolerance, fp32_tolerance, lowest_tau, require_spread

# Another batch may move the numbers further than those tried here.
MARGIN = 2
ONE_SWAP = 2 / (PASSAGES * (PASSAGES - 1) // 2)
HALF = frozenset({"bf16", "fp16"})


@dataclass(frozen=True)
class SelfGoldens:
    """`values` are those of each text alone, [texts or pairs, columns]."""

    goldens: Goldens
    values: FloatArray
    is_rerank: bool


def self_goldens(encoder: Encoder, sample: Sample, *, is_rerank: bool) -> SelfGoldens:
    """Each text alone is the reference; the bound is twice what company changes.

    Raises `FlatSample` where the scores spread over less than 10 times what company changes.
    """
    queries, passages = sample.queries[:QUERIES], sample.passages[:PASSAGES]
    goldens = Goldens(queries=queries, passages=passages, bounds={})
    alone, *others = _runs(encoder, goldens, is_rerank=is_rerank)
    ranking = _ranking(alone, is_rerank=is_rerank)
    moved, bound = _bound(alone, others, is_rerank=is_rerank)
    require_spread(ranking, moved.score, sample)
    numbers = (
        {"scores": Matrix.of(ranking.tolist())}
        if is_rerank
        else {
            "queries_out": Matrix.of(alone[:QUERIES].tolist()),
            "passages_out": Matrix.of(alone[QUERIES:].tolist()),
        }
    )
    update = {"bounds": {encoder.precision: bound}, **numbers}
    return SelfGoldens(goldens.model_copy(update=update), alone, is_rerank)


def hold_to(first: SelfGoldens, encoder: Encoder) -> tuple[Bound, dict[str, float]]:
    """How far `encoder` may be from the first graph's numbers, and how far it was.

    Raises `GateFailed` where it ranks worse than the gate lets an exported graph of its precision.
    """
    runs = list(_runs(encoder, first.goldens, is_rerank=first.is_rerank))
    reference = _ranking(first.values, is_rerank=first.is_rerank)
    rankings = [_ranking(values, is_rerank=first.is_rerank) for values in runs]
    found = min(smallest_tau(scores, reference) for scores in rankings)
    least = STANDARDS["half" if encoder.precision in HALF else "quantized"].tau
    # Written so that a NaN fails.
    if not found >= least:
        raise GateFailed(
            f"{encoder.bundle.manifest.name}, {encoder.precision}: Kendall tau {found:.4f} against "
            f"the first graph, allowed is {least:.2f} or more; leave that graph out"
        )
    moved, bound = _bound(first.values, runs, is_rerank=first.is_rerank)
    return bound, {
        "max_abs_diff": moved.value,
        "bound.max_abs_diff": bound.max_abs_diff,
        "min_kendall_tau": found,
        "bound.min_kendall_tau": least,
    }


def _bound(
    reference: FloatArray, runs: list[FloatArray], *, is_rerank: bool
) -> tuple[Tolerance, Bound]:
    """How far the runs were from the reference, and twice that."""
    ranking = _ranking(reference, is_rerank=is_rerank)
    rankings = [_ranking(values, is_rerank=is_rerank) for values in runs]
    floor = fp32_tolerance(reference, is_rerank=is_rerank)
    moved = Tolerance(
        max(floor.value, *(largest_difference(values, reference) for values in runs)),
        max(floor.score, *(largest_difference(scores, ranking) for scores in rankings)),
    )
    tau = min(smallest_tau(scores, ranking) for scores in rankings)
    bound = Bound(
        max_abs_diff=MARGIN * moved.value,
        min_tau=max(-1.0, min(lowest_tau(ranking, floor), 1 - MARGIN * (1 - tau) - ONE_SWAP)),
    )
    return moved, bound


def _runs(encoder: Encoder, texts: Goldens, *, is_rerank: bool) -> Iterator[FloatArray]:
    """Each input alone; by eights; by 32; and by eights with a text of the greatest length."""
    queries, passages = texts.queries, texts.passages
    long_text = " ".join(passages * (1 + encoder.tokenizer.max_tokens // (4 * PASSAGES)))
    inputs: list[Input] = [("query", query) for query in queries]
    inputs += [("passage", passage) for passage in passages]
    company: Input = ("passage", long_text)
    if is_rerank:
        inputs = [(query, passage) for query in queries for passage in passages]
        company = (queries[0], long_text)
    sequences = tokenize(encoder, inputs)
    yield from (run_batches(encoder, sequences, size) for size in (1, 8, 32))
    yield run_batches(encoder, sequences, 8, *tokenize(encoder, [company]))


def _ranking(values: FloatArray, *, is_rerank: bool) -> Numbers:
    if is_rerank:
        return values.reshape(QUERIES, PASSAGES)
    wide = values.astype(np.float64)
    return np.asarray(wide[:QUERIES] @ wide[QUERIES:].T)
