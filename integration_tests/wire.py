"""The wire between node and server, where a test can count, cut and stall."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK_BYTES = 1 << 16
ABORT = struct.pack("ii", 1, 0)


class Wire:
    """A TCP relay to `target_port`; `stalled` keeps answers back, `reset_all` cuts what is open.

    Runs in a thread of its own, so that a test may block on the node meanwhile.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.accepted = 0

    def reset_all(self) -> int:
        """Resets each open connection, as a server does with one it gave up; says how many."""
        return int(self._run(self._reset_all()))

    @contextlib.contextmanager
    def stalled(self) -> Any:  # noqa: ANN401  a context manager of nothing
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(
                "127.0.0.1", self._target_port
            )
        except OSError:
            _abort(writer)
            return
        self._open.add(writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, upstream_writer, answers=False))
                both.create_task(self._pump(upstream_reader, writer, answers=True))
        except* OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.close()
            upstream_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if answers:
                await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _reset_all(self) -> int:
        cut = list(self._open)
        for writer in cut:
            _abort(writer)
        return len(cut)

    async def _close(self) -> None:
        self._server.close()
        await self._reset_all()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    """A reset instead of an orderly end, even where nothing waits to be sent."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    transport = writer.transport
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
