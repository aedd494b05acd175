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
from bicross.bundle.record import Task
from bicross.errors import FlatSample, GateFailed
from bicross.runtime import Encoder, FloatArray
from bicross.runtime.ranking.figures import Numbers, largest_difference, smallest_tau
from bicross.runtime.ranking.samples import Sample
from bicross.runtime.ranking.standards import STANDARDS
from onnx_export.gate.batches import Input, run_batches, tokenize
from onnx_export.gate.golden_rows import golden_rows
from onnx_export.gate.token_outputs import (
    aligned,
    maxsim_scores,
    token_vectors_tolerance,
    weights_tolerance,
)
from onnx_export.gate.tolerance import Tolerance, fp32_tolerance, lowest_tau

# Another batch may move the numbers further than those tried here.
MARGIN = 2
# By chance one query of 16 passages reaches it in 1 of 60 cases (the tau of random orders has a
# standard deviation of 0.185), and all 8 never.
LEAST_TAU = 0.4
ONE_SWAP = 2 / (PASSAGES * (PASSAGES - 1) // 2)
HALF = frozenset({"bf16", "fp16"})


@dataclass(frozen=True)
class Outputs:
    """Of the goldens' queries and then their passages: vectors or weights [texts, columns], padded
    token vectors [texts, longest, dimensions]; or logits [pairs, 1], query by query.
    """

    task: Task
    values: FloatArray

    @property
    def scores(self) -> Numbers:
        """The ranking: [queries, passages]."""
        if self.task == "rerank":
            return self.values.reshape(QUERIES, PASSAGES)
        if self.task == "late_interaction":
            return maxsim_scores(self.values[:QUERIES], self.values[QUERIES:])
        wide = self.values.astype(np.float64)
        return np.asarray(wide[:QUERIES] @ wide[QUERIES:].T)

    @property
    def tolerance(self) -> Tolerance:
        """What an exact graph may differ by."""
        queries, passages = self.values[:QUERIES], self.values[QUERIES:]
        if self.task == "sparse_embedding":
            return weights_tolerance(queries, passages)
        if self.task == "late_interaction":
            return token_vectors_tolerance(queries, passages)
        return fp32_tolerance(self.values, is_rerank=self.task == "rerank")

    def distance(self, other: "Outputs") -> float:
        return largest_difference(*aligned(self.values, other.values))

    def golden_fields(self) -> dict[str, object]:
        fields: dict[str, object] = {}
        if self.task in {"rerank", "late_interaction"}:
            fields["scores"] = Matrix.of(self.scores.tolist())
        if self.task != "rerank":
            fields |= golden_rows(self.task, self.values[:QUERIES], self.values[QUERIES:])
        return fields


@dataclass(frozen=True)
class SelfGoldens:
    """`alone` is what the first graph gave for each text alone, `moved_by_batch` how far its
    numbers were from those in company.
    """

    goldens: Goldens
    alone: Outputs
    moved_by_batch: float


def self_goldens(encoder: Encoder, sample: Sample) -> SelfGoldens:
    """Each text alone is the reference; the bound is twice what company changes.

    Raises `FlatSample` where company changes the order so much that nearly any would pass.
    """
    queries, passages = sample.queries[:QUERIES], sample.passages[:PASSAGES]
    goldens = Goldens(queries=queries, passages=passages, bounds={})
    alone, *others = _runs(encoder, goldens)
    _, bound = _bound(alone, others)
    require_telling(bound, encoder.precision, sample)
    update = {"bounds": {encoder.precision: bound}, **alone.golden_fields()}
    return SelfGoldens(goldens.model_copy(update=update), alone, _moved(alone, others))


def require_telling(bound: Bound, precision: str, sample: Sample) -> None:
    """Raises `FlatSample` for a bound that nearly any order of the sample's passages keeps."""
    if not bound.min_tau >= LEAST_TAU:
        raise FlatSample(
            f"the sample proves nothing ({sample}): {precision} moves so far with its "
            f"batch that an order with a Kendall tau of {bound.min_tau:.2f} would pass; the least "
            f"that tells a right graph from a wrong one is {LEAST_TAU}: give texts of your own "
            "domain with --sample, or adopt the float graph"
        )


def hold_to(first: SelfGoldens, encoder: Encoder) -> tuple[Bound, dict[str, float], float]:
    """How far `encoder` may be from the first graph's numbers, how far it was, and how far its own
    moved with their batch.

    Raises `GateFailed` where it ranks worse than the gate lets an exported graph of its precision.
    """
    runs = list(_runs(encoder, first.goldens))
    found = min(smallest_tau(run.scores, first.alone.scores) for run in runs)
    least = STANDARDS["half" if encoder.precision in HALF else "quantized"].tau
    # Written so that a NaN fails.
    if not found >= least:
        raise GateFailed(
            f"{encoder.bundle.manifest.name}, {encoder.precision}: Kendall tau {found:.4f} against "
            f"the first graph, allowed is {least:.2f} or more; leave that graph out"
        )
    moved, bound = _bound(first.alone, runs)
    return (
        bound,
        {
            "max_abs_diff": moved.value,
            "bound.max_abs_diff": bound.max_abs_diff,
            "min_kendall_tau": found,
            "bound.min_kendall_tau": least,
        },
        _moved(runs[0], runs[1:]),
    )


def _moved(alone: Outputs, others: list[Outputs]) -> float:
    return max(run.distance(alone) for run in others)


def _bound(reference: Outputs, runs: list[Outputs]) -> tuple[Tolerance, Bound]:
    """How far the runs were from the reference, and twice that."""
    ranking, floor = reference.scores, reference.tolerance
    rankings = [run.scores for run in runs]
    moved = Tolerance(
        max(floor.value, *(run.distance(reference) for run in runs)),
        max(floor.score, *(largest_difference(scores, ranking) for scores in rankings)),
    )
    tau = min(smallest_tau(scores, ranking) for scores in rankings)
    bound = Bound(
        max_abs_diff=MARGIN * moved.value,
        min_tau=max(-1.0, min(lowest_tau(ranking, floor), 1 - MARGIN * (1 - tau) - ONE_SWAP)),
    )
    return moved, bound


def _runs(encoder: Encoder, texts: Goldens) -> Iterator[Outputs]:
    """Each input alone; by eights; by 32; and by eights with a text of the greatest length."""
    task = encoder.bundle.manifest.task
    queries, passages = texts.queries, texts.passages
    long_text = " ".join(passages * (1 + encoder.tokenizer.max_tokens // (4 * PASSAGES)))
    inputs: list[Input] = [("query", query) for query in queries]
    inputs += [("passage", passage) for passage in passages]
    company: Input = ("passage", long_text)
    if task == "rerank":
        inputs = [(query, passage) for query in queries for passage in passages]
        company = (queries[0], long_text)
    sequences = tokenize(encoder, inputs)
    for size in (1, 8, 32):
        yield Outputs(task, run_batches(encoder, sequences, size))
    guests = tokenize(encoder, [company])
    yield Outputs(task, run_batches(encoder, sequences, 8, *guests))
