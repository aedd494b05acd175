"""What a client may send before its request is whole: bounded in bytes and in time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from threading import Thread

import pytest
import uvicorn

from bicross.server.app import create_app
from bicross.server.endpoints.bodies import SMALL_BYTES
from bicross.server.models.catalog import Catalog
from bicross.server.process import listen, uvicorn_config
from bicross.server.settings import Settings
from bicross.server.transport.connection import HEAD_BYTES
from bicross.server.transport.door import Doors

LONG_S = 60.0
LINES = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LARGE = 4 * SMALL_BYTES


@contextmanager
def running(catalog: Catalog, **settings: int) -> Iterator[int]:
    """The port of a server."""
    read = Settings.read(**settings)
    server = uvicorn.Server(uvicorn_config(create_app(catalog, read, Doors()), read))
    with listen("127.0.0.1", 0) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def port(loaded_catalog: Catalog) -> Iterator[int]:
    """A server that waits a second for a head or a body."""
    with running(loaded_catalog, body_timeout_s=1) as port:
        yield port


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=LONG_S) as connection:
        yield connection


def status(connection: socket.socket) -> int:
    """Of the next answer, which is read to its end."""
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def head(size: int) -> bytes:
    """A whole one of about `size` bytes."""
    return LINES + b"X: " + b"y" * (size - len(LINES)) + b"\r\n\r\n"


def test_head_below_the_limit_is_read(connection: socket.socket) -> None:
    connection.sendall(head(HEAD_BYTES - 200))
    assert status(connection) == 200


@pytest.mark.parametrize("end", [None, -4], ids=["whole", "without end"])
def test_head_above_the_limit_is_refused(end: int | None, connection: socket.socket) -> None:
    connection.sendall(head(HEAD_BYTES + 200)[:end])
    assert status(connection) == 400
    assert connection.recv(1) == b""


def test_head_of_many_pieces_is_refused_once_they_are_too_much(connection: socket.socket) -> None:
    connection.sendall(LINES)
    for number in range(HEAD_BYTES // 1000 + 1):
        connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))
    assert status(connection) == 400


def test_long_path_counts_as_head(connection: socket.socket) -> None:
    connection.sendall(b"GET /" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status(connection) == 400


def test_head_that_does_not_end_in_time_is_hung_up_on(connection: socket.socket) -> None:
    connection.sendall(LINES)
    assert connection.recv(1) == b""


def test_bodies_do_not_count_as_heads(connection: socket.socket) -> None:
    body = b'{"model": "tiny-bi", "input": "cat"' + b" " * HEAD_BYTES + b"}"
    for _ in range(2):
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:9000])
        connection.sendall(body[9000:])
        assert status(connection) == 200


def test_requests_sent_without_waiting_are_all_answered(connection: socket.socket) -> None:
    connection.sendall((LINES + b"\r\n") * 2 + LINES + b"Connection: close\r\n\r\n")
    received = b""
    while part := connection.recv(65536):
        received += part
    assert received.count(b"HTTP/1.1 200 OK") == 3


@pytest.fixture
def crowded(loaded_catalog: Catalog) -> Iterator[socket.socket]:
    """A connection to a server whose queue is full: of a body that it still waits for."""
    limits = {"max_queue_tokens": 500, "max_request_tokens": 500}
    with (
        running(loaded_catalog, **limits) as port,
        socket.create_connection(("127.0.0.1", port), timeout=LONG_S) as other,
        socket.create_connection(("127.0.0.1", port), timeout=LONG_S) as connection,
    ):
        # The server says that it wants the body when it has made room for it.
        other.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % LARGE)
        assert other.recv(65536).startswith(b"HTTP/1.1 100")
        yield connection
        other.sendall(b" " * LARGE)
        assert status(other) == 400


def test_connection_of_a_refused_body_can_be_used_again(crowded: socket.socket) -> None:
    crowded.sendall(POST + b"Content-Length: %d\r\n\r\n" % LARGE)
    assert status(crowded) == 429
    crowded.sendall(b" " * LARGE + LINES + b"\r\n")
    assert status(crowded) == 200


def test_connection_of_a_refused_body_of_unknown_length_is_closed(crowded: socket.socket) -> None:
    chunk = b"%x\r\n" % (SMALL_BYTES + 1) + b" " * (SMALL_BYTES + 1) + b"\r\n"
    crowded.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
    assert status(crowded) == 429
    assert crowded.recv(1) == b""
