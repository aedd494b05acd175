"""Texts to vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bicross.bundle import Bundle
from bicross.bundle.heads import Embedding
from bicross.bundle.record import InputType
from bicross.errors import InvalidRequest
from bicross.runtime.batching import plan_batches
from bicross.runtime.engine import Execution, FloatArray
from bicross.runtime.text_encoder import (
    TextEncoder,
    load_sides,
    require_width,
    require_widths,
    wrong_task,
)
from bicross.runtime.tokenization import TokenSequence


@dataclass(frozen=True)
class BiEncoder(TextEncoder):
    head: Embedding

    @classmethod
    def open(cls, bundle: Bundle, execution: Execution) -> Self:
        head = bundle.manifest.embedding
        if head is None:
            raise wrong_task(bundle)
        sides = load_sides(bundle, execution)
        require_widths(sides, head.dimensions)
        return cls(bundle, execution, sides, head)

    @property
    def dimensions(self) -> int:
        return self.head.dimensions

    def encode(
        self, texts: Sequence[str], input_type: InputType, *, dimensions: int | None = None
    ) -> FloatArray:
        """Vectors of shape [len(texts), dimensions], float32, in the order of `texts`.

        Each text follows the bundle's prompt of `input_type`; one longer than the model takes is
        cut. Raises `InvalidRequest` for `dimensions` that are not offered.
        """
        self.require_dimensions(dimensions)
        sequences = self.tokenize(texts, input_type)
        result = np.empty((len(texts), self.dimensions), np.float32)
        for batch in plan_batches([sequence.length for sequence in sequences]):
            result[batch] = self.run([sequences[index] for index in batch])
        return self.cut(result, dimensions)

    def run(self, sequences: Sequence[TokenSequence]) -> FloatArray:
        """One run of each graph needed: [len(sequences), dimensions]. At least one sequence."""
        result = np.empty((len(sequences), self.dimensions), np.float32)
        for rows in self.by_graph(sequences):
            vectors = self.run_graph([sequences[row] for row in rows])
            session = self.session_for(sequences[rows[0]].input_type)
            require_width(session, vectors.shape[-1], self.dimensions)
            result[rows] = vectors
        return result

    def cut(self, vectors: FloatArray, dimensions: int | None) -> FloatArray:
        """The first `dimensions` numbers of each, of unit length again where the model's are.

        A vector whose first numbers are all 0 stays so.
        """
        if dimensions is None or dimensions == self.dimensions:
            return vectors
        shorter = np.ascontiguousarray(vectors[:, :dimensions])
        if self.head.normalize:
            lengths = np.linalg.norm(shorter, axis=1, keepdims=True)
            shorter /= np.maximum(lengths, np.finfo(np.float32).tiny)
        return shorter

    def require_dimensions(self, dimensions: int | None) -> None:
        offered = self.head.offered_dimensions
        if dimensions is not None and dimensions not in offered:
            raise InvalidRequest(
                f"`dimensions` {dimensions} is not offered; "
                f"{self.bundle.manifest.name} gives {', '.join(map(str, offered))}",
                param="dimensions",
            )
