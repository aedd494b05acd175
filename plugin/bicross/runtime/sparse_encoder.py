"""Texts to token weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bicross.bundle import Bundle
from bicross.bundle.heads import Sparse
from bicross.bundle.record import InputType
from bicross.runtime.batching import plan_batches
from bicross.runtime.engine import Execution, FloatArray
from bicross.runtime.text_encoder import (
    TextEncoder,
    load_sides,
    require_width,
    require_widths,
    wrong_task,
)
from bicross.runtime.token_names import token_names
from bicross.runtime.tokenization import TokenSequence

SMALLEST = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """A text's weights: `indices` int32, ascending, and for each a float32 above 0."""

    indices: npt.NDArray[np.int32]
    weights: FloatArray

    def dot(self, other: "SparseVector") -> float:
        """In double precision."""
        _, ours, theirs = np.intersect1d(
            self.indices, other.indices, assume_unique=True, return_indices=True
        )
        return float(self.weights[ours].astype(np.float64) @ other.weights[theirs])

    def as_dict(self) -> dict[int, float]:
        return dict(zip(self.indices.tolist(), self.weights.tolist(), strict=True))


@dataclass(frozen=True)
class SparseEncoder(TextEncoder):
    """`names` are the tokens by index, as an index of Elasticsearch takes them."""

    head: Sparse
    names: tuple[str, ...]

    @classmethod
    def open(cls, bundle: Bundle, execution: Execution) -> Self:
        head = bundle.manifest.sparse
        if head is None:
            raise wrong_task(bundle)
        sides = load_sides(bundle, execution)
        require_widths(sides, head.dimensions)
        names = token_names(sides["passage"].tokenizer.pieces, head.dimensions)
        return cls(bundle, execution, sides, head, names)

    def encode(self, texts: Sequence[str], input_type: InputType) -> list[SparseVector]:
        """One for each text, in their order.

        Each text follows the bundle's prompt of `input_type`; one longer than the model takes is
        cut.
        """
        sequences = self.tokenize(texts, input_type)
        found: dict[int, SparseVector] = {}
        for batch in plan_batches([sequence.length for sequence in sequences]):
            vectors = self.run([sequences[index] for index in batch])
            found |= dict(zip(batch, vectors, strict=True))
        return [found[index] for index in range(len(texts))]

    def run(self, sequences: Sequence[TokenSequence]) -> list[SparseVector]:
        """One run of each graph needed, one vector per sequence. At least one sequence."""
        found: dict[int, SparseVector] = {}
        for rows in self.by_graph(sequences):
            weights = self.run_graph([sequences[row] for row in rows])
            session = self.session_for(sequences[rows[0]].input_type)
            require_width(session, weights.shape[-1], self.head.dimensions)
            for row, dense in zip(rows, weights, strict=True):
                found[row] = sparse_vector(dense, self.head.max_active)
        return [found[row] for row in range(len(sequences))]


def sparse_vector(dense: FloatArray, max_active: int | None = None) -> SparseVector:
    """What of `dense` [dimensions] is above 0, and of that the `max_active` largest.

    Of equal weights the lower indices are kept. No weight is below the smallest normal float32,
    since an index of Elasticsearch refuses those.
    """
    indices = np.flatnonzero(dense >= SMALLEST)
    if max_active is not None and len(indices) > max_active:
        order = np.argsort(-dense[indices], kind="stable")
        indices = np.sort(indices[order[:max_active]])
    return SparseVector(indices.astype(np.int32), dense[indices].astype(np.float32))
