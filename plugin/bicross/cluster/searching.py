"""Which search an index is meant for, read from its own `_meta`, and the answer to one."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch, ElasticsearchWarning, NotFoundError

from bicross.cluster.connection import api_reason
from bicross.cluster.queries import (
    DEFAULT_WINDOW,
    Reranking,
    dense_retriever,
    rerank_retriever,
    search_body,
)
from bicross.errors import UsageError

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class SearchTarget:
    """A vector field, the text it was made of, its model, and the reranker meant for the index."""

    vector_field: str
    text_field: str
    model_id: str
    reranker: str | None


@dataclass(frozen=True)
class SearchChoice:
    """What a caller asks for instead of what the index's `_meta` says; None keeps the latter."""

    vector_field: str | None = None
    text_field: str | None = None
    model_id: str | None = None
    reranker: str | None = None


def search_target(client: Elasticsearch, index: str, choice: SearchChoice) -> SearchTarget:
    """Raises `UsageError` that names the option to give where `_meta` does not tell."""
    try:
        found = client.indices.get_mapping(index=index).body
    except NotFoundError:
        raise UsageError(f"the cluster has no index or alias {index}") from None
    return target_from_mapping(index, next(iter(found.values()))["mappings"], choice)


def target_from_mapping(
    index: str, mapping: Mapping[str, Any], choice: SearchChoice
) -> SearchTarget:
    recorded = mapping.get("_meta", {}).get("bicross", {})
    fields: dict[str, dict[str, str]] = recorded.get("fields", {})
    vector = choice.vector_field or next(iter(fields), None)
    if vector is None:
        raise UsageError(
            f"index {index} does not say in its _meta which field holds vectors; give "
            "--vector-field, --field and --model, or make the index by bicross deploy"
        )
    provenance = fields.get(vector, {})
    model_id = choice.model_id or provenance.get("model_id")
    text_field = choice.text_field or provenance.get("input_field")
    if model_id is None or text_field is None:
        option = "--model" if model_id is None else "--field"
        told = ", ".join(fields) or "none"
        raise UsageError(
            f"index {index} does not say in its _meta what {vector} was made of; give {option}, or "
            f"one of its own vector fields ({told}) as --vector-field"
        )
    reranker = choice.reranker or recorded.get("reranker", {}).get("model_id")
    return SearchTarget(vector, text_field, model_id, reranker)


@dataclass(frozen=True)
class SearchRequest:
    """`rerank` None means where a reranker is known; `both_stages` asks for the window of each."""

    index: str
    text: str
    size: int = 10
    window: int | None = None
    rerank: bool | None = None
    both_stages: bool = False


@dataclass(frozen=True)
class SearchBodies:
    """`_search` bodies: the answer's own, and before it the first pass where both are shown."""

    answer: dict[str, Any]
    first_pass: dict[str, Any] | None = None

    def in_order(self) -> list[dict[str, Any]]:
        return [self.answer] if self.first_pass is None else [self.first_pass, self.answer]

    def record(self, index: str) -> dict[str, Any]:
        """As one would write them by hand, each under its request line."""
        if self.first_pass is None:
            return self.answer
        return {"first_pass": self.first_pass, "reranked": self.answer, "path": f"/{index}/_search"}


def bodies(target: SearchTarget, request: SearchRequest) -> SearchBodies:
    """Raises `UsageError` where reranking is asked for and no reranker is known."""
    source = [target.text_field]
    reranks = request.both_stages or (
        target.reranker is not None if request.rerank is None else request.rerank
    )
    if not reranks:
        retriever = dense_retriever(
            target.vector_field, target.model_id, request.text, request.size
        )
        return SearchBodies(search_body(retriever, request.size, source))
    second = reranking(target, request.window, request.size)
    first = dense_retriever(target.vector_field, target.model_id, request.text, second.window)
    reranked = rerank_retriever(first, request.text, second)
    if not request.both_stages:
        return SearchBodies(search_body(reranked, request.size, source))
    return SearchBodies(
        search_body(reranked, second.window, source), search_body(first, second.window, source)
    )


def reranking(target: SearchTarget, window: int | None, size: int) -> Reranking:
    """The window covers `size` at least, since a hit outside it cannot come back."""
    if target.reranker is None:
        raise UsageError(
            "no reranker: the index's _meta names none; give --reranker MODEL, or "
            "--no-rerank for the first pass alone"
        )
    chosen = max(DEFAULT_WINDOW, size) if window is None else window
    if chosen < size:
        raise UsageError(
            f"--window {chosen} is smaller than --size {size}; hits outside the window cannot "
            "come back: raise the one or lower the other"
        )
    return Reranking(target.reranker, target.text_field, chosen)


@dataclass(frozen=True)
class Answer:
    body: dict[str, Any]
    warnings: tuple[str, ...]


def run_search(client: Elasticsearch, index: str, body: dict[str, Any]) -> Answer:
    """Raises `UsageError` with the cluster's reason for a search that it refuses."""
    try:
        with warnings.catch_warnings():
            # The client repeats the header as a Python warning; the caller gets it as a value.
            warnings.simplefilter("ignore", ElasticsearchWarning)
            # Sent once: a search that met its deadline would only meet it again, under more load.
            answer = client.options(retry_on_status=()).search(index=index, body=body)
    except (BadRequestError, NotFoundError) as error:
        raise UsageError(f"the search was refused: {api_reason(error)}") from None
    header = answer.meta.headers.get("warning") or ""
    return Answer(answer.body, tuple(_QUOTED.findall(header)))
