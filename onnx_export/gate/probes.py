"""What the gate runs: short, mixed and maximum-length inputs with the reference's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle, islice
from typing import Literal

import numpy as np

from bicross.bundle.golden import PASSAGES, QUERIES, Goldens
from bicross.bundle.heads import Sparse
from bicross.bundle.matrix import Matrix
from bicross.bundle.record import InputType, Task
from bicross.runtime import FloatArray
from bicross.runtime.ranking.figures import Numbers
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.batches import Input
from onnx_export.gate.golden_rows import golden_rows
from onnx_export.gate.token_outputs import (
    maxsim_scores,
    padded,
    token_vectors_tolerance,
    weights_tolerance,
)
from onnx_export.gate.tolerance import Tolerance, fp32_tolerance, golden_bound
from onnx_export.reference.late_interaction import LateInteractionReference
from onnx_export.reference.loading import Reference
from onnx_export.reference.rerank import RerankReference

Kind = Literal["short", "mixed", "maximum"]
INPUT_TYPES: tuple[InputType, ...] = ("query", "passage")
LARGEST_BATCH = 32
# At most, and twice the longest passage: it pads every other row and widens a batch's range.
GUEST_TOKENS = 256
# Attention takes memory with the square of the length: 32 rows of 512 tokens, 2 of 8,192.
MAXIMUM_TOKENS = 16_384
# 256 MB of float32.
MAXIMUM_LOGITS = 1 << 26


@dataclass(frozen=True)
class Probe:
    """`expected` is [len(inputs), dimensions], [len(inputs), 1] of logits, or padded token vectors
    [len(inputs), longest, dimensions].
    """

    kind: Kind
    inputs: tuple[Input, ...]
    expected: FloatArray


@dataclass(frozen=True)
class Probes:
    """`mixed` holds the ranking: all queries and then all passages, or the pairs row by row.

    `guest` is a long input that goes into batches of others, and whose own numbers nobody asks.
    """

    sample: Sample
    task: Task
    short: Probe
    mixed: Probe
    maximum: Probe
    guest: Input

    @property
    def is_rerank(self) -> bool:
        """Inputs are pairs, outputs logits."""
        return self.task == "rerank"

    @property
    def has_directions(self) -> bool:
        """Rows are vectors, of which a cosine can be asked."""
        return not self.is_rerank

    @property
    def all(self) -> tuple[Probe, ...]:
        return (self.short, self.mixed, self.maximum)

    @property
    def tolerance(self) -> Tolerance:
        values, count = self.mixed.expected, len(self.sample.queries)
        if self.task == "sparse_embedding":
            return weights_tolerance(values[:count], values[count:])
        if self.task == "late_interaction":
            return token_vectors_tolerance(values[:count], values[count:])
        return fp32_tolerance(values, is_rerank=self.is_rerank)

    @property
    def scores(self) -> Numbers:
        """The reference's ranking: [queries, passages]."""
        return self.ranking(self.mixed.expected)

    def ranking(self, values: FloatArray) -> Numbers:
        """Scores [queries, passages] of `mixed` values, or of its first whole queries' pairs."""
        if self.is_rerank:
            return values.reshape(-1, len(self.sample.passages))
        count = len(self.sample.queries)
        if self.task == "late_interaction":
            return maxsim_scores(values[:count], values[count:])
        wide = values.astype(np.float64)
        return np.asarray(wide[:count] @ wide[count:].T)

    def goldens(self) -> Goldens:
        """The first 8 queries by the first 16 passages, with the bound of fp32."""
        values, count = self.mixed.expected, len(self.sample.queries)
        goldens = Goldens(
            queries=self.sample.queries[:QUERIES],
            passages=self.sample.passages[:PASSAGES],
            bounds={"fp32": golden_bound(self.scores, self.tolerance)},
        )
        update: dict[str, object] = {}
        if self.task in {"rerank", "late_interaction"}:
            update["scores"] = Matrix.of(self.scores[:QUERIES, :PASSAGES].tolist())
        if not self.is_rerank:
            queries, passages = values[:QUERIES], values[count : count + PASSAGES]
            update |= golden_rows(self.task, queries, passages)
        return goldens.model_copy(update=update)


def reference_scores(reference: Reference, probes: Probes) -> Numbers:
    """The ranking anew, [queries, passages], as `reference` is now."""
    return probes.ranking(_probe("mixed", probes.mixed.inputs, reference).expected)


def compute_probes(reference: Reference, sample: Sample) -> Probes:
    """The reference's numbers for everything that the gate will run."""
    task = reference.spec.task
    is_rerank = task == "rerank"
    passages = sorted(sample.passages, key=len)
    mixed = _inputs(sample.queries, sample.passages, is_rerank=is_rerank)
    short = _inputs(sample.queries, passages[:LARGEST_BATCH], is_rerank=is_rerank)
    if is_rerank:
        # One pair of each short passage, not every query's.
        short = tuple(zip(cycle(sample.queries), passages[:LARGEST_BATCH], strict=False))
    return Probes(
        sample=sample,
        task=task,
        short=_probe("short", short[:LARGEST_BATCH], reference),
        mixed=_probe("mixed", mixed, reference),
        maximum=_probe("maximum", _longest(reference, sample), reference),
        guest=_guest(reference, sample),
    )


def _probe(kind: Kind, inputs: tuple[Input, ...], reference: Reference) -> Probe:
    if isinstance(reference, RerankReference):
        return Probe(kind, inputs, reference.logits(inputs).reshape(-1, 1))
    vectors: dict[int, FloatArray] = {}
    for input_type in INPUT_TYPES:
        rows = [row for row, (first, _) in enumerate(inputs) if first == input_type]
        if rows:
            texts = [inputs[row][1] for row in rows]
            found = (
                reference.matrices(texts, input_type)
                if isinstance(reference, LateInteractionReference)
                else reference.vectors(texts, input_type)
            )
            vectors |= dict(zip(rows, found, strict=True))
    ordered = [vectors[row] for row in range(len(inputs))]
    is_late = isinstance(reference, LateInteractionReference)
    return Probe(kind, inputs, padded(ordered) if is_late else np.stack(ordered))


def _inputs(
    queries: Sequence[str], passages: Sequence[str], *, is_rerank: bool
) -> tuple[Input, ...]:
    if is_rerank:
        return tuple((query, passage) for query in queries for passage in passages)
    typed = [("query", query) for query in queries]
    return (*typed, *(("passage", passage) for passage in passages))


def _longest(reference: Reference, sample: Sample) -> tuple[Input, ...]:
    """Texts above the longest sequence, so that truncation is compared too."""
    limit = reference.spec.max_tokens
    rows = max(1, min(LARGEST_BATCH, _most_tokens(reference) // limit))
    counts = _token_counts(reference, sample)
    texts = [_joined(sample.passages, counts, start, limit) for start in range(rows)]
    firsts = sample.queries if reference.spec.task == "rerank" else ("passage", "query")
    return tuple(zip(cycle(firsts), texts, strict=False))


def _most_tokens(reference: Reference) -> int:
    """Of one batch. A sparse encoder has the whole vocabulary's logits for each token."""
    if isinstance(reference.spec.head, Sparse):
        return min(MAXIMUM_TOKENS, MAXIMUM_LOGITS // reference.spec.head.dimensions)
    return MAXIMUM_TOKENS


def _joined(passages: Sequence[str], counts: Sequence[int], start: int, limit: int) -> str:
    """Passages from `start` on, around the end, until they have more than `limit` tokens."""
    start %= len(passages)
    around = islice(cycle(counts), start, None)
    needed = next(n for n, total in enumerate(accumulate(around), 1) if total > limit)
    return " ".join(islice(cycle(passages), start, start + needed))


def _guest(reference: Reference, sample: Sample) -> Input:
    counts = _token_counts(reference, sample)
    limit = min(GUEST_TOKENS, reference.spec.max_tokens, 2 * max(counts))
    text = _joined(sample.passages, counts, 0, limit)
    first = sample.queries[0] if reference.spec.task == "rerank" else "passage"
    return first, text


def _token_counts(reference: Reference, sample: Sample) -> list[int]:
    """Of each passage, at least one, so that joining ends."""
    return [max(1, reference.count_tokens(passage)) for passage in sample.passages]
