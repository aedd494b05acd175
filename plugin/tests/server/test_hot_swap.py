"""`bicross serve --watch` as a process, its bundle changing again and again under load."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import psutil
import pytest

from bicross.bundle import Bundle, open_bundle
from bicross.bundle.store import staged_bundle
from bicross.runtime import BiEncoder, FloatArray

BUNDLES = Path(__file__).parents[1] / "bundles"
VERSIONS = ("tiny-bi", "tiny-cut")
TEXT = "the cat sat on the mat"
CLIENTS = 4
SWAPS = 6
LONG_S = 60.0
# Measured over ten swaps: 0.6.
MOST_GROWTH_MIB = 4.0


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    port: int = 0

    def until(self, *words: str) -> str:
        """What the log says next, up to the line with which it has said all of `words`."""
        assert self.process.stderr is not None
        said = ""
        while not all(each in said for each in words):
            line = self.process.stderr.readline()
            assert line, f"the server ended before it said {words!r}"
            assert "Traceback" not in line
            said += line
        return said

    def rss_mib(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss) / (1 << 20)


@dataclass
class Load:
    """Clients that ask as fast as they are answered; `models` counts the answers of each model."""

    port: int
    expected: dict[str, FloatArray]
    models: "Counter[str]" = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    answered: threading.Condition = field(default_factory=threading.Condition)

    def ask(self) -> None:
        body = json.dumps({"model": "tiny-bi", "input": TEXT, "encoding_format": "base64"})
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONG_S)
        try:
            while not self.ended.is_set():
                connection.request(
                    "POST", "/v1/embeddings", body, {"content-type": "application/json"}
                )
                response = connection.getresponse()
                self._note(response.status, response.read())
        except Exception as error:  # noqa: BLE001  any of them is what this test is about
            self.failures.append(repr(error))
        finally:
            connection.close()

    def _note(self, status: int, body: bytes) -> None:
        answer = json.loads(body)
        if status != 200:
            self.failures.append(f"{status}: {answer}")
            return
        vector = np.frombuffer(base64.b64decode(answer["data"][0]["embedding"]), "<f4")
        off = np.abs(vector - self.expected[answer["model"]]).max()
        if off > 1e-5:
            self.failures.append(f"{answer['model']} gave a vector that is off by {off}")
        with self.answered:
            self.models[answer["model"]] += 1
            self.answered.notify_all()

    def wait_for(self, model: str, more: int) -> None:
        """Until `model` has given so many more answers."""
        with self.answered:
            target = self.models[model] + more
            assert self.answered.wait_for(
                lambda: self.models[model] >= target or self.failures, LONG_S
            )


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BICROSS_")}
    command = [str(Path(sys.executable).with_name("bicross")), "serve", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603  our own command line
        [*command, "--threads", "1", *arguments], env=clean, stderr=subprocess.PIPE, text=True
    )
    server = Server(process)
    try:
        # A small model may be ready before the server listens.
        said = server.until(" at http", "ready;")
        server.port = int(said.partition(" at http://")[2].split()[0].rpartition(":")[2])
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=LONG_S)


@contextmanager
def loaded(server: Server, expected: dict[str, FloatArray]) -> Iterator[Load]:
    load = Load(server.port, expected)
    clients = [threading.Thread(target=load.ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        load.ended.set()
        for client in clients:
            client.join()


def lay(folder: Path, source: str) -> Bundle:
    """`source` under the name tiny-bi, as the exporter writes over a bundle."""
    with staged_bundle(folder, force=True) as staging:
        shutil.copytree(BUNDLES / source, staging, dirs_exist_ok=True)
        manifest = staging / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"name": "tiny-bi"}))
    return open_bundle(folder)


def label(bundle: Bundle) -> str:
    return f"tiny-bi@{bundle.manifest.digest[:12]}"


@pytest.mark.timeout(120)
def test_no_request_fails_and_no_memory_stays_while_bundles_are_swapped(tmp_path: Path) -> None:
    folder = tmp_path / "bi"
    expected = {}
    for source in reversed(VERSIONS):
        bundle = lay(folder, source)
        expected[label(bundle)] = BiEncoder.load(bundle, threads=1).encode([TEXT], "passage")[0]
    with serving("--watch", str(folder)) as server, loaded(server, expected) as load:
        settled = 0.0
        for swap in range(SWAPS):
            new = label(lay(folder, VERSIONS[(swap + 1) % 2]))
            if swap % 2:
                server.process.send_signal(signal.SIGHUP)
            assert new in server.until("in place of")
            load.wait_for(new, CLIENTS)
            server.until("released")
            if swap == 1:
                settled = server.rss_mib()
        grown = server.rss_mib() - settled
        load.ended.set()
    assert not load.failures
    assert set(load.models) == set(expected)
    assert grown < MOST_GROWTH_MIB
