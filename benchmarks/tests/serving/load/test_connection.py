import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from benchmarks.serving.load.connection import Address, BadAnswer, Connection

Serve = Callable[[bytes], "asyncio.Future[Address]"]


@pytest.fixture
async def answering() -> AsyncIterator[Callable[[bytes], "asyncio.Task[Address]"]]:
    """A server that reads a request of five bytes and writes what it was made with."""
    servers: list[asyncio.Server] = []

    async def start(answer: bytes) -> Address:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    await reader.readexactly(5)
                    writer.write(answer)
                    if b"close" in answer:
                        writer.close()
                        return
            except asyncio.IncompleteReadError:
                writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        servers.append(server)
        return Address("127.0.0.1", server.sockets[0].getsockname()[1], "", tls=False)

    yield lambda answer: asyncio.ensure_future(start(answer))
    for server in servers:
        server.close()


async def ask(address: Address) -> list[tuple[int, bytes]]:
    """The answers to two requests on one connection."""
    connection = await Connection.open(address)
    try:
        answers = [await connection.send(b"12345") for _ in range(2)]
    finally:
        connection.close()
    return [(answer.status, answer.body) for answer in answers]


async def test_an_answer_with_a_length_is_read_and_the_connection_kept(answering: Serve) -> None:
    address = await answering(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\nabc")
    assert await ask(address) == [(200, b"abc"), (200, b"abc")]


async def test_an_answer_in_chunks_is_read(answering: Serve) -> None:
    head = b"HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\n\r\n"
    address = await answering(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert await ask(address) == [(429, b"abcde"), (429, b"abcde")]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"close",
    ],
    ids=["cut short", "no length", "no answer"],
)
async def test_what_is_no_whole_answer_is_bad(answering: Serve, answer: bytes) -> None:
    address = await answering(answer)
    with pytest.raises(BadAnswer):
        await ask(address)


def test_a_request_is_a_post_below_the_urls_own_path() -> None:
    request = Address.of("http://host:81/base/").request("/v1/x", b"{}", key="k")
    lines = request.split(b"\r\n")
    assert lines[0] == b"POST /base/v1/x HTTP/1.1"
    assert b"Authorization: Bearer k" in lines
    assert b"Content-Length: 2" in lines
    assert request.endswith(b"\r\n\r\n{}")


def test_only_http_is_spoken() -> None:
    with pytest.raises(ValueError, match="not an http or https URL"):
        Address.of("ftp://host/")
