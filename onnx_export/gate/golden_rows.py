"""What the goldens keep of the reference's outputs, by task."""

import numpy as np

from bicross.bundle.matrix import Matrix
from bicross.bundle.record import Task
from bicross.bundle.token_records import TokenVectors, TokenWeights
from bicross.runtime import FloatArray
from onnx_export.gate.token_outputs import own_vectors


def golden_rows(task: Task, queries: FloatArray, passages: FloatArray) -> dict[str, object]:
    """The fields of `Goldens` that hold the outputs of texts, for an encoder of single texts."""
    if task == "sparse_embedding":
        return {
            "queries_weights": tuple(_weights(row) for row in queries),
            "passages_weights": tuple(_weights(row) for row in passages),
        }
    if task == "late_interaction":
        return {
            "queries_vectors": _vectors(queries),
            "passages_vectors": _vectors(passages),
        }
    return {
        "queries_out": Matrix.of(queries.tolist()),
        "passages_out": Matrix.of(passages.tolist()),
    }


def _weights(row: FloatArray) -> TokenWeights:
    active = np.flatnonzero(row > 0)
    return TokenWeights.of(dict(zip(active.tolist(), row[active].tolist(), strict=True)))


def _vectors(whole: FloatArray) -> tuple[TokenVectors, ...]:
    return tuple(TokenVectors.of(rows.tolist()) for rows in own_vectors(whole))
