"""POST /v1/embeddings, in OpenAI's shape."""

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.runtime import BiEncoder
from bicross.runtime.quantized_vectors import Vectors, convert, require_dtype
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import EmbeddingsAnswer, EmbeddingsRequest
from bicross.server.endpoints.text_work import text_answer, text_work

router = APIRouter()


@router.post("/v1/embeddings", **documented(EmbeddingsRequest, EmbeddingsAnswer))
async def create_embeddings(request: Request) -> Response:
    """One vector per text, in their order.

    `input_type` picks the prompt that the model wants: `query` for what is searched with,
    `passage` for what is searched. A text longer than the model takes is cut, and counted in
    `usage.truncated`, unless `truncate` is false. `dimensions` cuts the vectors to one of the
    lengths that the model was trained for; `output_dtype` is how their numbers are written.
    """
    async with entering(request) as entered:
        asked = EmbeddingsRequest.read(entered.body)
        model = entered.find(asked.model, "text_embedding")
        encoder = model.require(BiEncoder)
        encoder.require_dimensions(asked.dimensions)
        require_dtype(encoder.head, asked.output_dtype, model.label)
        numbers = await entered.compute(text_work(model, encoder, asked, entered.settings))
    vectors = convert(
        encoder.cut(numbers.array, asked.dimensions), asked.output_dtype, encoder.head
    )
    rows: Iterable[Any] = np.ascontiguousarray(vectors)
    if asked.encoding_format == "base64":
        rows = map(base64_of, rows)
    return text_answer(model, rows, numbers)


def base64_of(row: Vectors) -> str:
    """Little-endian float32, as OpenAI's clients read it, or a byte for each number."""
    little = row.astype(row.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(little.tobytes()).decode("ascii")
