import asyncio
from collections.abc import AsyncIterator

import pytest

from benchmarks.serving.load.clients import Crowd, Tally, closed_loop, open_loop
from benchmarks.serving.load.connection import Address
from benchmarks.serving.peers.trivial import Trivial


@pytest.fixture
async def nothing() -> AsyncIterator[Address]:
    """The server that does nothing."""
    server = await asyncio.get_running_loop().create_server(Trivial, "127.0.0.1", 0)
    yield Address("127.0.0.1", server.sockets[0].getsockname()[1], "", tls=False)
    server.close()


def crowd(address: Address, clients: int = 3) -> Crowd:
    return Crowd(address, [address.request("/", b"{}")], clients, 0.2)


async def test_clients_that_wait_for_answers_get_them_all(nothing: Address) -> None:
    tally = await closed_loop(crowd(nothing))
    assert tally.seconds
    assert (tally.refused, tally.broken) == ({}, 0)


async def test_requests_at_a_pace_are_as_many_as_the_pace_says(nothing: Address) -> None:
    tally = await open_loop(crowd(nothing), rate=50)
    assert len(tally.seconds) == 10


async def test_a_server_that_hangs_up_is_counted() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    address = Address("127.0.0.1", server.sockets[0].getsockname()[1], "", tls=False)
    tally = await closed_loop(crowd(address, clients=1))
    server.close()
    assert tally.broken > 0
    assert tally.seconds == []


def test_a_refusal_is_no_answer() -> None:
    tally = Tally(lasted_s=2.0)
    for status in (200, 429, 429, 200):
        tally.add(status, 0.1)
    assert (tally.rate, tally.refused) == (1.0, {429: [0.1, 0.1]})
