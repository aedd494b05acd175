"""Texts to one vector per token, and MaxSim, by which they are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bicross.bundle import Bundle
from bicross.bundle.heads import LateInteraction
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
from bicross.runtime.tokenization import TokenSequence


@dataclass(frozen=True)
class LateInteractionEncoder(TextEncoder):
    head: LateInteraction

    @classmethod
    def open(cls, bundle: Bundle, execution: Execution) -> Self:
        head = bundle.manifest.late_interaction
        if head is None:
            raise wrong_task(bundle)
        sides = load_sides(bundle, execution)
        require_widths(sides, head.dimensions)
        return cls(bundle, execution, sides, head)

    @property
    def dimensions(self) -> int:
        return self.head.dimensions

    def encode(self, texts: Sequence[str], input_type: InputType) -> list[FloatArray]:
        """For each text, in their order, float32 [its tokens, dimensions].

        Special tokens, the prompt's and those of query expansion are among them, skipped ones are
        not. A text longer than the model takes is cut.
        """
        sequences = self.tokenize(texts, input_type)
        found: dict[int, FloatArray] = {}
        for batch in plan_batches([sequence.length for sequence in sequences]):
            matrices = self.run([sequences[index] for index in batch])
            found |= dict(zip(batch, matrices, strict=True))
        return [found[index] for index in range(len(texts))]

    def run(self, sequences: Sequence[TokenSequence]) -> list[FloatArray]:
        """One run of each graph needed, one matrix per sequence. At least one sequence."""
        found: dict[int, FloatArray] = {}
        for rows in self.by_graph(sequences):
            vectors = self.run_graph([sequences[row] for row in rows])
            session = self.session_for(sequences[rows[0]].input_type)
            require_width(session, vectors.shape[-1], self.dimensions)
            for row, padded in zip(rows, vectors, strict=True):
                found[row] = self._own_rows(padded, sequences[row])
        return [found[row] for row in range(len(sequences))]

    def _own_rows(self, padded: FloatArray, sequence: TokenSequence) -> FloatArray:
        """Without padding and skipped tokens; a copy, so that a batch can be forgotten."""
        left = self.bundle.manifest.padding_side == "left"
        start = len(padded) - sequence.length if left else 0
        rows = padded[start : start + sequence.length]
        is_query = sequence.input_type == "query"
        skipped = self.head.skip_query_ids if is_query else self.head.skip_passage_ids
        kept: FloatArray = rows[~np.isin(sequence.ids, skipped)]
        return kept


def maxsim(
    queries: Sequence[FloatArray], passages: Sequence[FloatArray]
) -> npt.NDArray[np.float64]:
    """Scores [queries, passages]: for each query token its best passage token's product, summed.

    In double precision. The score of a passage without tokens is 0.
    """
    scores = np.zeros((len(queries), len(passages)))
    wide = [passage.astype(np.float64) for passage in passages]
    for row, query in enumerate(queries):
        for column, passage in enumerate(wide):
            if len(passage):
                scores[row, column] = (query @ passage.T).max(axis=1).sum()
    return scores
