"""POST /v1/multi-vector: a vector for each token, in Jina's shape."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.errors import InvalidRequest
from bicross.runtime import LateInteractionEncoder
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.embeddings import base64_of
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import MultiVectorAnswer, MultiVectorRequest
from bicross.server.endpoints.text_work import text_answer, text_work

router = APIRouter()


@router.post("/v1/multi-vector", **documented(MultiVectorRequest, MultiVectorAnswer))
async def create_multi_vectors(request: Request) -> Response:
    """One vector per token, to be compared by MaxSim.

    The `embeddings` of a text are what a field of type `rank_vectors` takes. With `embedding_type:
    base64` each vector is a string of little-endian float32.
    """
    async with entering(request) as entered:
        asked = MultiVectorRequest.read(entered.body)
        model = entered.find(asked.model, "late_interaction")
        encoder = model.require(LateInteractionEncoder)
        if asked.dimensions not in {None, encoder.dimensions}:
            raise InvalidRequest(
                f"`dimensions` {asked.dimensions} is not offered; "
                f"{model.manifest.name} gives {encoder.dimensions}",
                param="dimensions",
            )
        numbers = await entered.compute(text_work(model, encoder, asked, entered.settings))
    matrices: Iterable[Any] = (
        np.ascontiguousarray(row) for row in numbers.rows if isinstance(row, np.ndarray)
    )
    if asked.embedding_type == "base64":
        matrices = ([base64_of(vector) for vector in matrix] for matrix in matrices)
    return text_answer(model, matrices, numbers, "embeddings")
