"""A bundle's runtime run batch by batch, with no batch reordered or cut."""

from collections.abc import Sequence

import numpy as np

from bicross.errors import QueryTooLong, UsageError
from bicross.runtime import (
    CrossEncoder,
    Encoder,
    FloatArray,
    LateInteractionEncoder,
    Row,
    SparseEncoder,
    SparseVector,
    TokenSequence,
)
from onnx_export.gate.token_outputs import densified, padded

# A bi-encoder's input is its input type and a text, a cross-encoder's a query and a passage.
Input = tuple[str, str]


def tokenize(encoder: Encoder, inputs: Sequence[Input]) -> list[TokenSequence]:
    """Raises `UsageError` for a query that leaves a cross-encoder no room for a passage."""
    if isinstance(encoder, CrossEncoder):
        try:
            return [encoder.tokenize(query, [text])[0] for query, text in inputs]
        except QueryTooLong as error:
            raise UsageError(f"the sample does not fit the model: {error}") from None
    return [
        encoder.tokenize([text], "query" if kind == "query" else "passage")[0]
        for kind, text in inputs
    ]


def run_batches(
    encoder: Encoder, sequences: Sequence[TokenSequence], size: int, *companions: TokenSequence
) -> FloatArray:
    """[len(sequences), columns], `size` sequences a run in their order; of late interaction
    [len(sequences), longest, dimensions], padded.

    `companions` are put into every run, and their rows left out of the result.
    """
    rows: list[Row] = []
    for start in range(0, len(sequences), size):
        batch = sequences[start : start + size]
        rows += list(encoder.run([*batch, *companions])[: len(batch)])
    if isinstance(encoder, SparseEncoder):
        vectors = [row for row in rows if isinstance(row, SparseVector)]
        return densified(vectors, encoder.head.dimensions)
    arrays = [np.asarray(row) for row in rows]
    if isinstance(encoder, LateInteractionEncoder):
        return padded(arrays)
    return np.stack(arrays).reshape(len(sequences), -1)
