"""`_search` bodies: nothing that a user could not write by hand."""

from dataclasses import dataclass
from typing import Any

DEFAULT_WINDOW = 50


@dataclass(frozen=True)
class Reranking:
    """The second pass: `field` holds the text that `model_id` scores, of `window` hits."""

    model_id: str
    field: str
    window: int = DEFAULT_WINDOW
    min_score: float | None = None


def candidates(k: int) -> int:
    """`num_candidates` for `k` neighbours: twice as many, within Elasticsearch's bounds."""
    return min(max(2 * k, 100), 10_000)


def dense_retriever(field: str, model_id: str, text: str, k: int) -> dict[str, Any]:
    """The first pass over vectors; the node asks the model for the query's vector."""
    return {
        "knn": {
            "field": field,
            "k": k,
            "num_candidates": candidates(k),
            "query_vector_builder": {"bicross": {"model_id": model_id, "model_text": text}},
        }
    }


def bm25_retriever(fields: list[str], text: str) -> dict[str, Any]:
    """The first pass over words, each field by its own analyzer."""
    return {"standard": {"query": {"multi_match": {"query": text, "fields": fields}}}}


def rerank_retriever(first_pass: dict[str, Any], text: str, reranking: Reranking) -> dict[str, Any]:
    body = {
        "retriever": first_pass,
        "field": reranking.field,
        "model_id": reranking.model_id,
        "model_text": text,
        "rank_window_size": reranking.window,
    }
    if reranking.min_score is not None:
        body["min_score"] = reranking.min_score
    return {"bicross_rerank": body}


def search_body(
    retriever: dict[str, Any], size: int, source: list[str] | bool = False
) -> dict[str, Any]:
    """`source` names the fields that come back with each hit: vectors are never among them."""
    return {"retriever": retriever, "size": size, "_source": source}
