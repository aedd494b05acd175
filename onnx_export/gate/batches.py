"""A bundle's runtime run batch by batch, with no batch reordered or cut."""

from collections.abc import Sequence

import numpy as np

from bicross.bundle import Bundle
from bicross.errors import QueryTooLong, UsageError
from bicross.runtime import BiEncoder, CrossEncoder, FloatArray, TokenSequence

Encoder = BiEncoder | CrossEncoder
# A bi-encoder's input is its input type and a text, a cross-encoder's a query and a passage.
Input = tuple[str, str]


def load_encoder(bundle: Bundle, precision: str) -> Encoder:
    if bundle.manifest.task == "rerank":
        return CrossEncoder.load(bundle, precision)
    return BiEncoder.load(bundle, precision)


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
    """[len(sequences), columns], `size` sequences a run in their order.

    `companions` are put into every run, and their rows left out of the result.
    """
    parts = []
    for start in range(0, len(sequences), size):
        batch = sequences[start : start + size]
        parts.append(encoder.run([*batch, *companions])[: len(batch)])
    return np.concatenate(parts).reshape(len(sequences), -1)
