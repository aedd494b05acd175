"""The servers that are compared: started here, each in its own environment, or given by URL."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import psutil

from benchmarks.serving.crew import MIB
from benchmarks.serving.load.connection import Address, BadAnswer, Connection
from benchmarks.serving.load.dialects import Speech
from benchmarks.serving.models import Models
from benchmarks.serving.passages import ROOT

START_S = 180
STOP_S = 20
POLL_S = 0.05


class ServerFailed(Exception):
    """A server did not become ready; the reason is the last line that it wrote."""


@dataclass(frozen=True)
class Recipe:
    """How a server is started. `{port}` in `command` is a free port; `ready` answers 200 then."""

    name: str
    command: tuple[str, ...]
    speech: Speech
    ready: str = "/health"
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return Path(self.command[0]).exists()

    def with_environment(self, more: Mapping[str, str]) -> Self:
        return replace(self, environment={**self.environment, **more})


@dataclass(frozen=True)
class Running:
    """`process` is None, and `start_s` 0, for a server that runs elsewhere."""

    name: str
    address: Address
    speech: Speech
    process: psutil.Process | None = None
    start_s: float = 0.0

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


def recipes(models: Models, threads: int) -> list[Recipe]:
    python = sys.executable
    bi, cross = models.bi.bundle, models.cross.bundle
    infinity = ROOT / ".venv-infinity" / "bin" / "infinity_emb"
    served = {"BI_BUNDLE": str(bi), "CROSS_BUNDLE": str(cross), "THREADS": str(threads)}
    plain = (python, "-m", "uvicorn", "benchmarks.serving.peers.plain_fastapi:app")
    quiet = ("--log-level", "warning")
    alone = {
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    }
    return [
        Recipe(
            "bicross",
            (
                str(ROOT / ".venv-serving" / "bin" / "bicross"),
                *("serve", str(bi), str(cross), "--port", "{port}", "--threads", str(threads)),
            ),
            Speech("openai", bi.name, cross.name, encoding="base64", has_input_type=True),
            ready="/health/ready",
        ),
        Recipe(
            "plain FastAPI + onnxruntime",
            (*plain, "--port", "{port}", *quiet),
            Speech("openai", bi.name, cross.name),
            environment=served,
        ),
        Recipe(
            "infinity, torch",
            (
                str(infinity),
                *(
                    "v2",
                    "--model-id",
                    str(models.bi.folder),
                    "--model-id",
                    str(models.cross.folder),
                ),
                *("--served-model-name", "bi", "--served-model-name", "cross"),
                *("--engine", "torch", "--device", "cpu", "--dtype", "float32"),
                *("--no-bettertransformer", "--no-compile", "--port", "{port}", *quiet),
            ),
            Speech("openai", "bi", "cross", "/embeddings", "/rerank", encoding="base64"),
            environment=alone,
        ),
    ]


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
            raise ServerFailed(lines[-1] if lines else f"not ready after {START_S} s")
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
            connection = await Connection.open(address)
            try:
                if (await connection.send(request)).status == 200:
                    return True
            finally:
                connection.close()
        await asyncio.sleep(POLL_S)
    return False
