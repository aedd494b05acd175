"""Every judged query through one kind of `_search`, timed, its refusals and warnings counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from bicross.cluster.connection import api_reason
from bicross.cluster.queries import (
    Reranking,
    bm25_retriever,
    dense_retriever,
    rerank_retriever,
    search_body,
)
from bicross.cluster.searching import Answer, run_search
from bicross.errors import UsageError

DEPTH = 100
ATTEMPTS = 3
TEMPORARY = frozenset({429, 503, 504})
BM25_FIELDS = ["title", "text"]
BM25, DENSE, RERANKED = "BM25", "dense", "dense + rerank"

Clock = Callable[[], float]
Search = Callable[[dict[str, Any]], Answer]
Body = Callable[[str], dict[str, Any]]
Progress = Callable[[int, int], None]


@dataclass
class Run:
    """`rankings` holds ids, best first; `latencies_ms` is what the client waited for each query."""

    name: str
    rankings: dict[str, list[str]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    took_ms: list[int] = field(default_factory=list)
    degraded: int = 0
    repeated: int = 0
    unanswered: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Fit to be compared: every query answered, none with a warning."""
        return not self.unanswered and not self.degraded


@dataclass(frozen=True)
class Models:
    """Pinned model ids, and how many hits the second one scores."""

    bi: str
    cross: str
    window: int


@dataclass(frozen=True)
class Configuration:
    """One kind of search: its name in the table, and its `_search` body for a query text."""

    name: str
    body: Body


def configurations(models: Models, vector_field: str, text_field: str) -> tuple[Configuration, ...]:
    """BM25, dense, dense + rerank. Only ids come back."""
    reranking = Reranking(models.cross, text_field, models.window)

    def dense(text: str) -> dict[str, Any]:
        return dense_retriever(vector_field, models.bi, text, DEPTH)

    def reranked(text: str) -> dict[str, Any]:
        first = dense_retriever(vector_field, models.bi, text, max(models.window, DEPTH))
        return rerank_retriever(first, text, reranking)

    return (
        Configuration(BM25, lambda text: search_body(bm25_retriever(BM25_FIELDS, text), DEPTH)),
        Configuration(DENSE, lambda text: search_body(dense(text), DEPTH)),
        Configuration(
            RERANKED, lambda text: search_body(reranked(text), min(DEPTH, models.window))
        ),
    )


def run_queries(
    search: Search,
    configuration: Configuration,
    queries: Mapping[str, str],
    progress: Progress,
    clock: Clock = perf_counter,
) -> Run:
    """Every query, one at a time; the first once more before, to open connections, unmeasured.

    A query that meets overload or a deadline is asked again, twice at most, its latency that of the
    last time. One that stays refused is unanswered, with the reason; it counts as zero in every
    mean, never as missing.
    """
    run, body = Run(configuration.name), configuration.body
    for text in list(queries.values())[:1]:
        _ask(search, body(text), clock)
    for query, text in queries.items():
        answer, waited_ms, repeats = _ask(search, body(text), clock)
        run.repeated += repeats
        if isinstance(answer, str):
            run.unanswered[query] = answer
        else:
            run.rankings[query] = [str(hit["_id"]) for hit in answer.body["hits"]["hits"]]
            run.latencies_ms.append(waited_ms)
            run.took_ms.append(int(answer.body["took"]))
            run.degraded += bool(answer.warnings)
        progress(len(run.rankings) + len(run.unanswered), len(queries))
    return run


def searcher(client: Elasticsearch, index: str) -> Search:
    return lambda body: run_search(client, index, body)


def _ask(search: Search, body: dict[str, Any], clock: Clock) -> tuple[Answer | str, float, int]:
    """The answer or the reason for none, how long its last attempt took in ms, and the repeats."""
    repeats = 0
    while True:
        begun = clock()
        answer, temporary = _attempt(search, body)
        waited_ms = (clock() - begun) * 1000
        if not temporary or repeats == ATTEMPTS - 1:
            return answer, waited_ms, repeats
        repeats += 1


def _attempt(search: Search, body: dict[str, Any]) -> tuple[Answer | str, bool]:
    """The answer or the reason for none, and whether asking again may help."""
    try:
        return search(body), False
    except UsageError as error:
        return str(error), False
    except ApiError as error:
        return api_reason(error), error.meta.status in TEMPORARY
    except TransportError as error:
        return str(error.message), True
