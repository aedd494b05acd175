"""A server while it runs: started and ended here, or by somebody else."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.crew import MIB
from benchmarks.serving.load.connection import Address, BadAnswer, ask
from benchmarks.serving.load.dialects import Speech
from benchmarks.serving.passages import ROOT
from benchmarks.serving.recipes import Recipe

START_S = 300
STOP_S = 20
POLL_S = 0.05


class ServerFailed(Exception):
    """A server did not become ready; the reason is the last line that it wrote."""


@dataclass(frozen=True)
class Running:
    """`process` is None, and `start_s` 0, for a server that runs elsewhere. `rerank_at` is where
    the cross-encoder is, where each model has a server of its own.
    """

    name: str
    address: Address
    speech: Speech
    process: psutil.Process | None = None
    start_s: float = 0.0
    rerank_at: Address | None = None

    @property
    def rerank_address(self) -> Address:
        return self.rerank_at or self.address

    def rss_mib(self) -> float | None:
        """Of the process and its children; None for a server elsewhere."""
        if self.process is None:
            return None
        family = [self.process, *self.process.children(recursive=True)]
        return sum(float(each.memory_info().rss) for each in family) / MIB

    def cpu_s(self) -> float:
        """Used so far by the process and its children, on all cores."""
        if self.process is None:
            return 0.0
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)


@contextmanager
def started(recipe: Recipe, log: Path) -> Iterator[Running]:
    """The server, ready. Raises `ServerFailed`."""
    port = free_port()
    command = [part.format(port=port) for part in recipe.command]
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            command,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(recipe.environment),
        )
    try:
        address = Address.of(f"http://127.0.0.1:{port}")
        if not asyncio.run(_ready(address, recipe.ready, process)):
            lines = log.read_text(errors="replace").strip().splitlines()
            how = "ended" if process.poll() is not None else f"is not ready after {START_S} s"
            raise ServerFailed(f"{how}; its last words: {lines[-1] if lines else 'none'}")
        elapsed = time.perf_counter() - begin
        yield Running(recipe.name, address, recipe.speech, psutil.Process(process.pid), elapsed)
    finally:
        _end(process)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """A server with work left may take longer than anybody wants to wait."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
        return
    process.kill()
    process.wait()


async def _ready(address: Address, path: str, process: "subprocess.Popen[bytes]") -> bool:
    """Whether it became so before it ended or `START_S` passed."""
    request = f"GET {path} HTTP/1.1\r\nHost: {address.host}\r\n\r\n".encode()
    begin = time.perf_counter()
    while time.perf_counter() - begin < START_S and process.poll() is None:
        with suppress(OSError, BadAnswer):
            if (await ask(address, request)).status == 200:
                return True
        await asyncio.sleep(POLL_S)
    return False
