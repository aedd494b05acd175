"""POST /v1/multi-vector: a vector for each token, in Jina's shape."""

from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.errors import InvalidRequest
from bicross.runtime import FloatArray, LateInteractionEncoder
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.embeddings import base64_of
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import MultiVectorAnswer, MultiVectorRequest
from bicross.server.endpoints.text_work import text_work, usage
from bicross.server.serving import Numbers, Serving

router = APIRouter()


@router.post("/v1/multi-vector", **documented(MultiVectorRequest, MultiVectorAnswer))
async def create_multi_vectors(request: Request) -> Response:
    """One vector per token, to be compared by MaxSim.

    The `embeddings` of a text are what a field of type `rank_vectors` takes. With `embedding_type:
    base64` each vector is a string of little-endian float32.
    """
    serving: Serving = request.app.state.serving
    settings = serving.settings
    deadline = serving.deadline(request)
    async with entering(request) as (body, entry):
        asked = MultiVectorRequest.read(body)
        model = serving.catalog.find(asked.model, "late_interaction")
        encoder = model.require_encoder()
        if not isinstance(encoder, LateInteractionEncoder):
            raise TypeError(model.label)
        if asked.dimensions not in {None, encoder.dimensions}:
            raise InvalidRequest(
                f"`dimensions` {asked.dimensions} is not offered; "
                f"{model.manifest.name} gives {encoder.dimensions}",
                param="dimensions",
            )
        work = text_work(model, encoder, asked, settings)
        numbers = await serving.compute(request, work, deadline, entry)
    answer = _answer(model.label, numbers, asked.embedding_type)
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )


def _answer(label: str, numbers: Numbers, embedding_type: str) -> dict[str, Any]:
    as_text = embedding_type == "base64"
    matrices = [np.ascontiguousarray(row) for row in numbers.rows if isinstance(row, np.ndarray)]
    return {
        "object": "list",
        "model": label,
        "data": [
            {"object": "embedding", "index": index, "embeddings": _written(matrix, as_text)}
            for index, matrix in enumerate(matrices)
        ],
        "usage": usage(numbers),
    }


def _written(matrix: FloatArray, as_text: bool) -> FloatArray | list[str]:
    return [base64_of(vector) for vector in matrix] if as_text else matrix
