"""POST /v1/rerank and /v2/rerank, in Cohere's and Jina's shape."""

import time
import uuid
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from bicross.runtime import CrossEncoder, FloatArray, relevance_score
from bicross.server.endpoints.documented import documented
from bicross.server.endpoints.entrance import entering
from bicross.server.endpoints.schemas import RerankAnswer, RerankRequest
from bicross.server.endpoints.texts import (
    TextLimits,
    most_tokens,
    read_documents,
    read_text,
    size_bytes,
)
from bicross.server.scheduling.lane import Lane
from bicross.server.serving import Work

router = APIRouter()

# [CLS], [SEP] and [SEP], or what else a tokenizer puts round a pair.
SPECIAL_TOKENS = 12
# For a partial answer to be written, sent and read.
ANSWER_S = 0.01


@router.post("/v2/rerank", **documented(RerankRequest, RerankAnswer))
@router.post("/v1/rerank", **documented(RerankRequest, RerankAnswer))
async def rerank(request: Request) -> Response:
    """The documents' relevance to the query, best first, matched by `index`.

    `relevance_score` is what sentence-transformers' `CrossEncoder.predict` returns, `logit` the
    same before the activation. A pair longer than the model takes loses tokens of the document,
    never of the query. With `partial` the answer leaves before the deadline, with the documents
    scored by then; the first are scored first.
    """
    async with entering(request, Lane.SEARCH) as entered:
        asked = RerankRequest.read(entered.body)
        model, settings = entered.find(asked.model, "rerank"), entered.settings
        encoder = model.require(CrossEncoder)
        query = read_text(asked.query, "query", settings.max_text_bytes)
        limits = TextLimits(settings.max_documents, settings.max_text_bytes, "max_documents")
        documents = read_documents(asked.documents, limits)
        besides = SPECIAL_TOKENS + encoder.added_bytes + size_bytes(query, "query")
        work = Work(
            model=model,
            lane=Lane.SEARCH,
            tokenize=lambda: encoder.tokenize(
                query, documents, asked.max_tokens_per_doc, whole=not asked.truncate
            ),
            most_tokens=most_tokens(documents, besides, model.manifest.max_tokens),
            field="documents",
            truncate=asked.truncate,
            partial=asked.partial,
        )
        if asked.partial:
            entered.deadline = _in_time(entered.deadline, time.monotonic())
        numbers = await entered.compute(work)
    results = _results(numbers.array, numbers.computed, encoder)[: asked.top_n]
    if asked.return_documents:
        for result in results:
            result["document"] = {"text": documents[result["index"]]}
    answer: dict[str, Any] = {
        "id": uuid.uuid4().hex,
        "object": "list",
        "model": model.label,
        "results": results,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        "usage": {"total_tokens": numbers.tokens, "truncated": numbers.truncated},
    }
    if asked.partial:
        scored = len(numbers.computed)
        answer |= {"partial": scored < len(documents), "scored": scored}
    return Response(orjson.dumps(answer), media_type="application/json")


def _in_time(deadline: float, now: float) -> float:
    """When to stop scoring, so that the answer is there by `deadline` and of use."""
    return deadline - min(ANSWER_S, max(0.0, deadline - now) / 4)


def _results(logits: FloatArray, indices: list[int], encoder: CrossEncoder) -> list[dict[str, Any]]:
    """Sorted by logit, which a sigmoid may have rounded together; equal ones by index.

    `indices` are the documents that `logits` belong to.
    """
    scored = sorted(
        zip(logits.tolist(), indices, strict=True), key=lambda pair: (-pair[0], pair[1])
    )
    return [
        {
            "index": index,
            "relevance_score": relevance_score(logit, encoder.head.activation),
            "logit": logit,
        }
        for logit, index in scored
    ]
