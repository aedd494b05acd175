"""One chunk of documents through `_bulk` until each has its outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.helpers import streaming_bulk

from bicross.cluster.connection import api_reason
from bicross.cluster.dead_letters import Refusal
from bicross.cluster.documents import Document
from bicross.errors import EnvironmentProblem

TOO_MANY_REQUESTS = 429
TOO_LARGE = 413
REASON_LENGTH = 500

# Waits so many seconds; a true answer means that the run is being stopped.
Wait = Callable[[float], object]


@dataclass(frozen=True)
class RetryPolicy:
    """How long 429 is answered with patience: full jitter below a doubling bound, in seconds."""

    attempts: int = 12
    first_s: float = 0.5
    longest_s: float = 20.0

    def delay_s(self, attempt: int, random: Random) -> float:
        return random.uniform(0.5, 1.0) * min(self.longest_s, self.first_s * 2.0**attempt)


@dataclass(frozen=True)
class ChunkOutcome:
    """Every document of a chunk in one of the three; `retried` counts documents sent again."""

    created: int
    updated: int
    refusals: tuple[Refusal, ...]
    retried: int


@dataclass(frozen=True)
class BulkSink:
    """Where documents go. `require_alias` refuses them once the name is no alias any more."""

    client: Elasticsearch
    name: str
    require_alias: bool = False


class BulkWriter:
    """Writes documents into one index. Safe to use from several threads."""

    def __init__(self, sink: BulkSink, policy: RetryPolicy, wait: Wait) -> None:
        # The transport repeats a 429 at once; here it is answered with patience instead.
        self._client = sink.client.options(retry_on_status=(502, 503, 504))
        self._sink = sink
        self._policy = policy
        self._wait = wait
        self._random = Random()  # noqa: S311 # jitter, no secret

    def write(self, documents: Sequence[Document]) -> ChunkOutcome:
        """Documents answered 429 are sent again, alone, until the policy's attempts are used up.

        Raises `EnvironmentProblem` where the cluster refuses the request as a whole or does not
        answer; no outcome is known then, and sending the chunk again is safe.
        """
        waiting = list(documents)
        created = updated = retried = 0
        refusals: list[Refusal] = []
        for attempt in range(self._policy.attempts + 1):
            overloaded: list[Refusal] = []
            for document, item in zip(waiting, self._send(waiting), strict=True):
                status = int(item["status"])
                if status < 300:
                    created += item["result"] == "created"
                    updated += item["result"] != "created"
                    continue
                refusal = _refusal(document, status, item)
                (overloaded if status == TOO_MANY_REQUESTS else refusals).append(refusal)
            if not overloaded or attempt == self._policy.attempts:
                refusals.extend(overloaded)
                break
            lines = {refusal.line for refusal in overloaded}
            waiting = [document for document in waiting if document.line in lines]
            retried += len(waiting)
            if self._wait(self._policy.delay_s(attempt, self._random)):
                raise EnvironmentProblem("stopped while waiting to send documents again")
        return ChunkOutcome(created, updated, tuple(refusals), retried)

    def _send(self, documents: Sequence[Document]) -> list[dict[str, Any]]:
        """An item per document in order. 429 to the whole is each one's; 413 halves the bulk."""
        try:
            answered = list(
                streaming_bulk(
                    self._client,
                    (
                        {"_index": self._sink.name, "_id": d.id, "_source": d.source}
                        for d in documents
                    ),
                    chunk_size=max(1, len(documents)),
                    raise_on_error=False,
                    raise_on_exception=True,
                    require_alias=self._sink.require_alias,
                )
            )
        except ApiError as error:
            status = error.meta.status
            if status == TOO_LARGE and len(documents) > 1:
                half = len(documents) // 2
                return self._send(documents[:half]) + self._send(documents[half:])
            if status in (TOO_MANY_REQUESTS, TOO_LARGE):
                return [{"status": status, "error": api_reason(error)}] * len(documents)
            raise EnvironmentProblem(f"the bulk was refused: {api_reason(error)}") from None
        except TransportError as error:
            raise EnvironmentProblem(f"the bulk got no answer: {error.message}") from None
        return [next(iter(item.values())) for _, item in answered]


def _refusal(document: Document, status: int, item: dict[str, Any]) -> Refusal:
    error = item.get("error", "no reason given")
    if isinstance(error, dict):
        error = f"{error.get('type')}: {_innermost_reason(error)}"
    return Refusal(document.line, document.id, status, str(error)[:REASON_LENGTH], document.source)


def _innermost_reason(error: dict[str, Any]) -> str:
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    return str(error.get("reason"))
