"""Clients that obey come again when told; a flood does not wait for anybody."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from benchmarks.overload.crowds import MARK, Load, Outcome, Returns, _flood, _obey
from benchmarks.serving.load.connection import Address

REFUSAL = b"HTTP/1.1 429 x\r\ncontent-length: 0\r\nretry-after: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
Serve = Callable[[list[bytes]], "asyncio.Task[Address]"]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A server that gives each request of five bytes the next of some answers, then none."""
    servers: list[asyncio.Server] = []

    async def start(answers: list[bytes]) -> Address:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await reader.readexactly(5):
                    if answers:
                        writer.write(answers.pop(0))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        servers.append(await asyncio.start_server(speak, "127.0.0.1", 0))
        return Address("127.0.0.1", servers[-1].sockets[0].getsockname()[1], "", tls=False)

    yield lambda answers: asyncio.ensure_future(start(answers))
    for server in servers:
        server.close()


def test_no_two_requests_hold_the_same_text() -> None:
    load = Load(Address("", 0, "", tls=False), [b"a " + MARK, b"b " + MARK], [])
    requests = load.numbered()
    assert [next(requests) for _ in range(3)] == [b"a 000000", b"b 000001", b"a 000002"]


async def test_returns_and_second_refusals_are_counted(serve: Serve) -> None:
    answers = [REFUSAL, REFUSAL, ANSWER, ANSWER]
    address, returns = await serve(answers), Returns()
    requests = iter([b"first", b"again"])
    with pytest.raises(RuntimeError):
        await _obey(address, "127.0.1.1", requests, returns)
    assert returns == Returns(came=2, refused=1, answered=2)


async def test_flood_counts_who_waits_when_it_ends(serve: Serve) -> None:
    address, outcome = await serve([ANSWER, REFUSAL]), Outcome()
    requests = iter([b"one__", b"two__", b"three"])
    await _flood(address, requests, rate=30.0, seconds=0.1, outcome=outcome)
    assert outcome.flood.broken == 0
    assert outcome.waiting >= 1
    assert outcome.waiting + len(outcome.flood.seconds) + len(outcome.flood.refused) == 3
