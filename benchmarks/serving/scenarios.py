"""What is asked of a server, and the figures of each scenario."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.serving.figures import percentile
from benchmarks.serving.load.clients import Crowd, Tally, closed_loop, open_loop
from benchmarks.serving.load.connection import Address, ask
from benchmarks.serving.load.dialects import WrongAnswer
from benchmarks.serving.servers import Running
from benchmarks.serving.workload import Workload

BULK = 32
BULK_CLIENTS = 4
SINGLE_CLIENTS = 8
# While bulk runs, single queries come at this pace: a search box, not a benchmark of its own.
BACKGROUND_RATE = 10.0
# Far more than any queue should take: requests of this many passages from as many clients.
FLOOD_CLIENTS = 64
FLOOD_PASSAGES = 256
# No two of them hold the same text: what is in flight is computed once.
FLOOD_REQUESTS = 256
FLOOD_PAUSE_S = 0.05

Figures = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """A server, and the requests made for it. `batch_tokens` is the mean of a bulk request's;
    `longest` are the passages of a flood.
    """

    server: Running
    singles: Sequence[bytes]
    bulk: Sequence[bytes]
    window: bytes
    longest: Sequence[str]
    batch_tokens: float
    seconds: float

    def crowd(self, requests: Sequence[bytes], clients: int) -> Crowd:
        return Crowd(self.server.address, requests, clients, self.seconds)

    def reranker(self) -> Crowd:
        """One client that sends the window again and again."""
        return Crowd(self.server.rerank_address, [self.window], 1, self.seconds)


def make_load(server: Running, workload: Workload, seconds: float) -> Load:
    address, speech = server.address, server.speech
    passages, window = workload.passages, workload.windows[0]
    batches = [passages[start : start + BULK] for start in range(0, len(passages), BULK)]

    def embeddings(texts: Sequence[str], input_type: str) -> bytes:
        return address.request(speech.embeddings_path, speech.embeddings(texts, input_type))

    return Load(
        server,
        [embeddings([query], "query") for query in workload.queries],
        [embeddings(batch, "passage") for batch in batches],
        server.rerank_address.request(
            speech.rerank_path, speech.rerank(window.query, window.passages)
        ),
        sorted(passages, key=len)[-FLOOD_PASSAGES:],
        workload.tokens / len(batches),
        seconds,
    )


async def check(load: Load, workload: Workload) -> tuple[Any, Any]:
    """The vectors of the first batch and the window's scores. Raises `WrongAnswer`."""
    embedded = await ask(load.server.address, load.bulk[0])
    scored = await ask(load.server.rerank_address, load.window)
    for answer in (embedded, scored):
        if answer.status != 200:
            raise WrongAnswer(f"status {answer.status}: {answer.body[:200]!r}")
    speech, window = load.server.speech, workload.windows[0]
    vectors = speech.read_vectors(embedded.body)
    if len(vectors) != BULK:
        raise WrongAnswer(f"{len(vectors)} vectors for {BULK} passages")
    return vectors, speech.read_scores(scored.body, len(window.passages))


async def singles(load: Load) -> Figures:
    return await _queries(load, SINGLE_CLIENTS)


async def alone(load: Load) -> Figures:
    """One client, whom nobody delays."""
    return await _queries(load, 1)


async def _queries(load: Load, clients: int) -> Figures:
    tally = await closed_loop(load.crowd(load.singles, clients))
    return {"queries_per_s": tally.rate, **_latencies(tally)}


async def bulk(load: Load) -> Figures:
    tally = await closed_loop(load.crowd(load.bulk, BULK_CLIENTS))
    return {"tokens_per_s": tally.rate * load.batch_tokens, **_latencies(tally)}


async def rerank(load: Load) -> Figures:
    tally = await closed_loop(load.reranker())
    return {"windows_per_s": tally.rate, **_latencies(tally)}


async def mixed(load: Load) -> Figures:
    """Bulk as fast as it goes, single queries at their pace; the latencies are the latter's."""
    ingest, search = await asyncio.gather(
        closed_loop(load.crowd(load.bulk, BULK_CLIENTS)),
        open_loop(load.crowd(load.singles, SINGLE_CLIENTS), BACKGROUND_RATE),
    )
    return {"tokens_per_s": ingest.rate * load.batch_tokens, **_latencies(search)}


async def flood(load: Load) -> Figures:
    """More than the server can queue. `refusal_p99_ms` is None where nothing was refused."""
    before = load.server.rss_mib()
    crowd = load.crowd(_flood_requests(load), FLOOD_CLIENTS)
    tally = await closed_loop(replace(crowd, pause_s=FLOOD_PAUSE_S, hang_up=True))
    refusals = [seconds for times in tally.refused.values() for seconds in times]
    after = load.server.rss_mib()
    return {
        "refused": {str(status): len(times) for status, times in tally.refused.items()},
        "broken": tally.broken,
        "answered": len(tally.seconds),
        "refusal_p50_ms": _ms(refusals, 50),
        "refusal_p99_ms": _ms(refusals, 99),
        "rss_grew_mib": None if before is None or after is None else after - before,
    }


def _flood_requests(load: Load) -> list[bytes]:
    address, speech = load.server.address, load.server.speech
    return [
        address.request(
            speech.embeddings_path,
            speech.embeddings([f"{number} {passage}" for passage in load.longest], "passage"),
        )
        for number in range(FLOOD_REQUESTS)
    ]


Scenario = Callable[[Load], Coroutine[Any, Any, Figures]]
SCENARIOS: dict[str, Scenario] = {
    "singles": singles,
    "alone": alone,
    "bulk": bulk,
    "rerank": rerank,
    "mixed": mixed,
}


def run(scenario: Scenario, load: Load) -> Figures:
    """Its figures, with the shares of the cores that the server and this process used."""
    wall, own, theirs = time.perf_counter(), time.process_time(), load.server.cpu_s()
    figures = asyncio.run(scenario(load))
    lasted = time.perf_counter() - wall
    return figures | {
        "generator_cores": (time.process_time() - own) / lasted,
        "server_cores": (load.server.cpu_s() - theirs) / lasted,
    }


def ceiling(address: Address, seconds: float) -> float:
    """Single requests a second that this generator manages where the server does nothing."""
    request = address.request("/", b'{"model": "none", "input": ["a query of a few words"]}')
    crowd = Crowd(address, [request], SINGLE_CLIENTS, seconds)
    return asyncio.run(closed_loop(crowd)).rate


def _latencies(tally: Tally) -> Figures:
    failed = tally.broken + sum(map(len, tally.refused.values()))
    return {
        "p50_ms": _ms(tally.seconds, 50),
        "p99_ms": _ms(tally.seconds, 99),
        "requests": len(tally.seconds),
        "failed": failed,
    }


def _ms(seconds: Sequence[float], percent: float) -> float | None:
    return 1000 * percentile(seconds, percent) if seconds else None
