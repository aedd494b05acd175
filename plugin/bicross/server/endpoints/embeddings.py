"""POST /v1/embeddings, in OpenAI's shape."""

import base64
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.runtime import BiEncoder
from bicross.runtime.quantized_vectors import Vectors, convert, require_dtype
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import EmbeddingsAnswer, EmbeddingsRequest
from bicross.server.endpoints.text_work import text_work, usage
from bicross.server.serving import Numbers, Serving

router = APIRouter()


@router.post("/v1/embeddings", **documented(EmbeddingsRequest, EmbeddingsAnswer))
async def create_embeddings(request: Request) -> Response:
    """One vector per text, in their order.

    `input_type` picks the prompt that the model wants: `query` for what is searched with,
    `passage` for what is searched. A text longer than the model takes is cut, and counted in
    `usage.truncated`, unless `truncate` is false. `dimensions` cuts the vectors to one of the
    lengths that the model was trained for; `output_dtype` is how their numbers are written.
    """
    serving: Serving = request.app.state.serving
    settings = serving.settings
    deadline = serving.deadline(request)
    async with entering(request) as (body, entry):
        asked = EmbeddingsRequest.read(body)
        model = serving.catalog.find(asked.model, "text_embedding")
        encoder = model.require_encoder()
        if not isinstance(encoder, BiEncoder):
            raise TypeError(model.label)
        encoder.require_dimensions(asked.dimensions)
        require_dtype(encoder.head, asked.output_dtype, model.label)
        work = text_work(model, encoder, asked, settings)
        numbers = await serving.compute(request, work, deadline, entry)
    vectors = convert(
        encoder.cut(numbers.array, asked.dimensions), asked.output_dtype, encoder.head
    )
    answer = _answer(model.label, vectors, numbers, asked.encoding_format)
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )


def _answer(label: str, vectors: Vectors, numbers: Numbers, encoding_format: str) -> dict[str, Any]:
    as_text = encoding_format == "base64"
    return {
        "object": "list",
        "model": label,
        "data": [
            {"object": "embedding", "index": index, "embedding": base64_of(row) if as_text else row}
            for index, row in enumerate(np.ascontiguousarray(vectors))
        ],
        "usage": usage(numbers),
    }


def base64_of(row: Vectors) -> str:
    """Little-endian float32, as OpenAI's clients read it, or a byte for each number."""
    little = row.astype(row.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(little.tobytes()).decode("ascii")
