"""An endpoint that does nothing: what the load generator reaches on it is its own ceiling.

`python -m benchmarks.serving.peers.trivial PORT`
"""

import asyncio
import sys

BODY = b'{"data": []}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Trivial(asyncio.Protocol):
    """Reads a head and as many bytes as it announces, and answers always the same."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end or not isinstance(self._transport, asyncio.WriteTransport):
            return
        line = next((ln for ln in head.split(b"\r\n") if ln.lower().startswith(b"content-le")), b"")
        length = int(line.partition(b":")[2] or 0)
        if len(rest) >= length:
            self._received = rest[length:]
            self._transport.write(ANSWER)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Trivial, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
