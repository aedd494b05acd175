import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from benchmarks.serving.load.connection import Address
from benchmarks.serving.load.dialects import Speech, WrongAnswer
from benchmarks.serving.scenarios import BULK, check, make_load, rerank
from benchmarks.serving.servers import Running
from benchmarks.serving.workload import Window, Workload

WINDOW = Window("a query", ["one passage", "another"])
WORKLOAD = Workload([f"passage {number}" for number in range(BULK)], ["a query"], [WINDOW], 100)
SPEECH = Speech("tei", "", "", "/embed", "/rerank")
VECTORS = json.dumps([[1.0, 0.0]] * BULK)
SCORES = json.dumps([{"index": 1, "score": 2.0}, {"index": 0, "score": 1.0}])


@asynccontextmanager
async def serving(path: str, answer: str) -> AsyncIterator[Address]:
    """A server of one model: its path has an answer, any other is not found."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(ln for ln in head.split(b"\r\n") if ln.startswith(b"Content-Length"))
                await reader.readexactly(int(length.partition(b":")[2]))
                found = head.startswith(f"POST {path} ".encode())
                status, body = ("200 OK", answer) if found else ("404 Not Found", "")
                fields = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write((fields + body).encode())
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield Address("127.0.0.1", server.sockets[0].getsockname()[1], "", tls=False)
    server.close()


@pytest.fixture
async def bi() -> AsyncIterator[Address]:
    async with serving("/embed", VECTORS) as address:
        yield address


@pytest.fixture
async def cross() -> AsyncIterator[Address]:
    async with serving("/rerank", SCORES) as address:
        yield address


async def test_a_window_goes_to_the_server_of_the_cross_encoder(
    bi: Address, cross: Address
) -> None:
    load = make_load(Running("peer", bi, SPEECH, rerank_at=cross), WORKLOAD, seconds=0.1)
    vectors, scores = await check(load, WORKLOAD)
    assert vectors.shape == (BULK, 2)
    assert scores.tolist() == [1.0, 2.0]
    figures = await rerank(load)
    assert figures["requests"] > 0
    assert figures["failed"] == 0


async def test_one_address_is_asked_for_both_models(bi: Address) -> None:
    load = make_load(Running("peer", bi, SPEECH), WORKLOAD, seconds=0.1)
    with pytest.raises(WrongAnswer, match="status 404"):
        await check(load, WORKLOAD)
