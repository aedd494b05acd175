"""One chunk of documents through `_bulk` until each has its outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.helpers import streaming_bulk

from bicross.cluster.connection import REASON_LENGTH, api_reason, cause_of
from bicross.cluster.dead_letters import Refusal
from bicross.cluster.documents import Document
from bicross.cluster.pace import Pace
from bicross.errors import EnvironmentProblem

OK_BELOW = 300
TOO_MANY_REQUESTS = 429
TOO_LARGE = 413

# Waits so many seconds; a true answer means that the run is being stopped.
Wait = Callable[[float], object]


@dataclass(frozen=True)
class RetryPolicy:
    """How 429 is answered: waits in seconds, doubling up to a bound, with jitter.

    `attempts` is how many rounds in a row may pass without a document being accepted.
    """

    attempts: int = 10
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


Overloaded = tuple[Document, Refusal]


@dataclass
class _Round:
    """What has its outcome so far, and how many documents were sent again."""

    created: int = 0
    updated: int = 0
    retried: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class BulkWriter:
    """Writes documents into one index. Safe to use from several threads."""

    def __init__(self, sink: BulkSink, policy: RetryPolicy, pace: Pace, wait: Wait) -> None:
        # The transport repeats a 429 at once; here it is answered with patience instead.
        self._client = sink.client.options(retry_on_status=(502, 503, 504))
        self._sink = sink
        self._policy = policy
        self._pace = pace
        self._wait = wait
        self._random = Random()  # noqa: S311 # jitter, no secret

    def write(self, documents: Sequence[Document]) -> ChunkOutcome:
        """Documents answered 429 are sent again, alone, until no round brings progress any more.

        Raises `EnvironmentProblem` where the cluster refuses the request as a whole or does not
        answer; no outcome is known then, and sending the chunk again is safe.
        """
        total = _Round()
        overloaded = self._round(documents, total)
        stalled = 0
        while overloaded and stalled < self._policy.attempts:
            if self._wait(self._policy.delay_s(stalled, self._random)):
                raise EnvironmentProblem("stopped while waiting to send documents again")
            total.retried += len(overloaded)
            left = self._round([document for document, _ in overloaded], total)
            stalled = stalled + 1 if len(left) == len(overloaded) else 0
            overloaded = left
        total.refusals.extend(refusal for _, refusal in overloaded)
        return ChunkOutcome(total.created, total.updated, tuple(total.refusals), total.retried)

    def _round(self, documents: Sequence[Document], total: "_Round") -> list[Overloaded]:
        """Sends each document once, in bulks of the pace's size; what was answered 429."""
        overloaded: list[Overloaded] = []
        sent = 0
        while sent < len(documents):
            part = documents[sent : sent + self._pace.size]
            sent += len(part)
            before = len(overloaded)
            for document, item in zip(part, self._send(part), strict=True):
                status = int(item["status"])
                if status < OK_BELOW:
                    total.created += item["result"] == "created"
                    total.updated += item["result"] != "created"
                elif status == TOO_MANY_REQUESTS:
                    overloaded.append((document, _refusal(document, status, item)))
                else:
                    total.refusals.append(_refusal(document, status, item))
            self._pace.accepted() if len(overloaded) == before else self._pace.overloaded()
        return overloaded

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
    reason = cause_of(item.get("error", "no reason given"))[:REASON_LENGTH]
    return Refusal(document.line, document.id, status, reason, document.source)
