"""A client that costs little: it shares the cores with the server that it measures.

Requests are bytes made beforehand, and of an answer only the status and the length are read.
"""

import asyncio
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


class BadAnswer(Exception):
    """What came back is no HTTP/1.1 answer, or the connection ended in it."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    path: str
    tls: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises `ValueError` for anything but http and https."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url} is not an http or https URL")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), parts.path.rstrip("/"), tls)

    def request(self, path: str, body: bytes, key: str | None = None) -> bytes:
        """A whole POST of JSON to `path` below the URL's own."""
        lines = [
            f"POST {self.path}{path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *([f"Authorization: Bearer {key}"] if key else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """`retry_after_s` is None where the server names no seconds to come again after."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class Connection:
    """One connection, kept. Not for two requests at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Address, own_host: str | None = None) -> Self:
        """From `own_host`, or from whichever address the system chooses."""
        own = (own_host, 0) if own_host else None
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=address.tls or None, limit=1 << 20, local_addr=own
        )
        return cls(reader, writer)

    async def send(self, request: bytes) -> Answer:
        """Raises `BadAnswer` where the server's answer is none."""
        self._writer.write(request)
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            fields = _fields(head)
            if b"content-length" in fields:
                body = await self._reader.readexactly(int(fields[b"content-length"]))
            elif fields.get(b"transfer-encoding", b"").lower() == b"chunked":
                body = await self._read_chunks()
            else:
                raise BadAnswer("an answer with neither Content-Length nor chunks")
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            raise BadAnswer(f"{type(error).__name__}: {error}") from error
        told = fields.get(b"retry-after", b"")
        return Answer(status, body, float(told) if told.isdigit() else None)

    def close(self) -> None:
        """At once, even in the middle of an answer."""
        self._writer.transport.abort()

    async def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(await self._reader.readline(), 16):
            chunks.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readuntil(b"\r\n")
        return b"".join(chunks)


async def ask(address: Address, request: bytes, own_host: str | None = None) -> Answer:
    """On a connection of its own. Raises as `Connection.open` and `send`."""
    connection = await Connection.open(address, own_host)
    try:
        return await connection.send(request)
    finally:
        connection.close()


def _fields(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
