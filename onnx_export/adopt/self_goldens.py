"""Goldens of a graph that has no original beside it: its own numbers on this machine.

A dynamically quantized graph scales its activations by the whole batch, so that its numbers move
with what is batched together. How far they move is measured, and is its bound.
"""

from collections.abc import Iterator

import numpy as np

from bicross.bundle import Bound, Goldens
from bicross.bundle.golden import PASSAGES, QUERIES, Matrix
from bicross.runtime import FloatArray
from onnx_export.gate.batches import Encoder, Input, run_batches, tokenize
from onnx_export.gate.figures import Numbers, largest_difference, smallest_tau
from onnx_export.gate.samples import Sample
from onnx_export.gate.tolerance import Tolerance, fp32_tolerance, lowest_tau, require_spread

# Another batch may move the numbers further than those tried here.
MARGIN = 2
ONE_SWAP = 2 / (PASSAGES * (PASSAGES - 1) // 2)


def self_goldens(encoder: Encoder, sample: Sample, *, is_rerank: bool) -> Goldens:
    """Each text alone is the reference; the bound is twice what company changes.

    Raises `FlatSample` where the scores spread over less than 10 times what company changes.
    """
    queries, passages = sample.queries[:QUERIES], sample.passages[:PASSAGES]
    alone, *others = _runs(encoder, queries, passages, is_rerank=is_rerank)
    ranking = _ranking(alone, is_rerank=is_rerank)
    rankings = [_ranking(values, is_rerank=is_rerank) for values in others]
    floor = fp32_tolerance(alone, is_rerank=is_rerank)
    moved = Tolerance(
        max(floor.value, *(largest_difference(values, alone) for values in others)),
        max(floor.score, *(largest_difference(scores, ranking) for scores in rankings)),
    )
    require_spread(ranking, moved.score, sample)
    tau = min(smallest_tau(scores, ranking) for scores in rankings)
    bound = Bound(
        max_abs_diff=MARGIN * moved.value,
        min_tau=max(-1.0, min(lowest_tau(ranking, floor), 1 - MARGIN * (1 - tau) - ONE_SWAP)),
    )
    goldens = Goldens(queries=queries, passages=passages, bounds={encoder.precision: bound})
    if is_rerank:
        return goldens.model_copy(update={"scores": Matrix.of(ranking.tolist())})
    return goldens.model_copy(
        update={
            "queries_out": Matrix.of(alone[:QUERIES].tolist()),
            "passages_out": Matrix.of(alone[QUERIES:].tolist()),
        }
    )


def _runs(
    encoder: Encoder, queries: tuple[str, ...], passages: tuple[str, ...], *, is_rerank: bool
) -> Iterator[FloatArray]:
    """Each input alone; by eights; by 32; and by eights with a text of the greatest length."""
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
