"""POST /v1/sparse-embeddings: token weights, in the shape of OpenAI's embeddings."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.runtime import SparseEncoder, SparseVector
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import SparseEmbeddingsAnswer, SparseEmbeddingsRequest
from bicross.server.endpoints.text_work import text_answer, text_work

router = APIRouter()


@router.post("/v1/sparse-embeddings", **documented(SparseEmbeddingsRequest, SparseEmbeddingsAnswer))
async def create_sparse_embeddings(request: Request) -> Response:
    """A weight for each token that a text is about, its own tokens or others.

    With `encoding_format: tokens` each `embedding` is an object that a field of type
    `sparse_vector` takes as it is; a dot in a token is written `__`. With
    `indices` it is a list of `{"index", "value"}` by token id.
    """
    async with entering(request) as entered:
        asked = SparseEmbeddingsRequest.read(entered.body)
        model = entered.find(asked.model, "sparse_embedding")
        encoder = model.require(SparseEncoder)
        numbers = await entered.compute(text_work(model, encoder, asked, entered.settings))
    vectors = [row for row in numbers.rows if isinstance(row, SparseVector)]
    written = [
        by_index(vector) if asked.encoding_format == "indices" else by_token(vector, encoder.names)
        for vector in vectors
    ]
    return text_answer(model, written, numbers)


def by_token(vector: SparseVector, names: tuple[str, ...]) -> dict[str, np.float32]:
    """Heaviest first; equal weights by index."""
    order = np.argsort(-vector.weights, kind="stable")
    return {names[vector.indices[place]]: vector.weights[place] for place in order}


def by_index(vector: SparseVector) -> list[dict[str, Any]]:
    pairs = zip(vector.indices.tolist(), vector.weights, strict=True)
    return [{"index": index, "value": weight} for index, weight in pairs]
