"""One connection: a parser in C, and bounds on what a client may send before its request begins."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Of a request's first line and headers together.
HEAD_BYTES = 16_384
TOO_LARGE = f"the request's headers have more than {HEAD_BYTES} bytes"


class Connection(HttpToolsProtocol):
    """As uvicorn's, which bounds nothing before a request is whole: a head has `HEAD_BYTES` at most
    and is there `head_s` seconds after its first byte, which a new connection sends within the time
    that a resting one is kept.
    """

    def __init__(self, head_s: float, **given: Any) -> None:  # noqa: ANN401  uvicorn's own
        super().__init__(**given)
        self._head_s = head_s
        self._head_bytes = 0
        self._in_head = True
        self._begun = False
        self._awaited: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_awaiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_bytes > HEAD_BYTES:
            self.logger.warning(TOO_LARGE)
            self.send_400_response(TOO_LARGE)
        elif self._begun and self._awaited is None:
            self._await_head(self._head_s)

    def on_message_begin(self) -> None:
        self._begun = True
        self._stop_awaiting()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = self._begun = False
        self._stop_awaiting()
        sizes = (len(name) + len(value) for name, value in self.headers)
        if len(self.url) + sum(sizes) > HEAD_BYTES:
            # The parser makes this the answer to a request that it cannot read.
            raise ValueError(TOO_LARGE)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def _await_head(self, seconds: float) -> None:
        self._awaited = self.loop.call_later(seconds, self.transport.close)

    def _stop_awaiting(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None
