"""What requests for single texts and their answers have in common, whatever an encoder gives."""

from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response

from bicross.bundle.record import InputType
from bicross.runtime import TextEncoder
from bicross.server.endpoints.schemas import TextsRequest
from bicross.server.endpoints.texts import TextLimits, most_tokens, read_inputs
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.lane import Lane
from bicross.server.serving import Numbers, Work
from bicross.server.settings import Settings

# [CLS] and [SEP], or what else a tokenizer puts round one text.
SPECIAL_TOKENS = 8


def text_work(
    model: ServedModel, encoder: TextEncoder, asked: TextsRequest, settings: Settings
) -> Work:
    """Queries go by the search lane. Raises a `RequestError` that names the wrong text."""
    input_type: InputType = "query" if asked.input_type == "query" else "passage"
    limits = TextLimits(settings.max_inputs, settings.max_text_bytes, "max_inputs")
    texts = read_inputs(asked.input, limits)
    besides = SPECIAL_TOKENS + len(encoder.prompt(input_type).encode())
    fewest = encoder.fewest_tokens(input_type)
    return Work(
        model=model,
        lane=Lane.SEARCH if input_type == "query" else Lane.INGEST,
        tokenize=lambda: encoder.tokenize(texts, input_type, whole=not asked.truncate),
        most_tokens=most_tokens(texts, max(besides, fewest), encoder.max_tokens(input_type)),
        field="input",
        truncate=asked.truncate,
    )


def text_answer(
    model: ServedModel, values: Iterable[Any], numbers: Numbers, field: str = "embedding"
) -> Response:
    """In the shape of OpenAI's embeddings: `values` has one of each text, called `field`."""
    answer = {
        "object": "list",
        "model": model.label,
        "data": [
            {"object": "embedding", "index": index, field: value}
            for index, value in enumerate(values)
        ],
        "usage": {
            "prompt_tokens": numbers.tokens,
            "total_tokens": numbers.tokens,
            "truncated": numbers.truncated,
        },
    }
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
