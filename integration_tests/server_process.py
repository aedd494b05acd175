"""The server as a user runs it: a process of its own, from the environment without torch."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

ROOT = Path(__file__).parents[1]
SERVING = ROOT / ".venv-serving" / "bin" / "bicross"
START_S = 90
VERSIONS = (ROOT / "plugin" / "elasticsearch" / "versions").read_text().splitlines()
NEWEST_ES = VERSIONS[-1].split()[0]
KEY = "integration-key"


class ServerProcess:
    """`bicross serve` of `bundles` at `port`; may be started again after it was stopped."""

    def __init__(
        self, bundles: Sequence[Path], port: int, log: Path, *, key: str | None = None
    ) -> None:
        self.bundles = bundles
        self.port = port
        self.log = log
        self.key = key
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "ServerProcess":
        environment = {**os.environ, **({"BICROSS_API_KEY": self.key} if self.key else {})}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [SERVING, "serve", "--port", str(self.port), *map(str, self.bundles)],
                stdout=log,
                stderr=log,
                env=environment,
            )
        if not self._await_ready():
            raise AssertionError(f"the server is not ready: {self.log.read_text()}")
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def requests(self, route: str) -> int:
        """Answers sent for `route` since the start, of any status."""
        pattern = rf'bicross_requests_total\{{route="{re.escape(route)}",status="\d+"\}} (\S+)'
        return int(sum(float(value) for value in re.findall(pattern, self.get("/metrics").text)))

    def get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.get(self.url + path, headers=headers)

    def post(self, path: str, body: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.post(self.url + path, headers=headers, json=body, timeout=60)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(30)

    def _signal(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)

    @retry(
        retry=retry_if_result(lambda ready: not ready),
        stop=stop_after_delay(START_S),
        wait=wait_fixed(0.1),
        retry_error_callback=lambda _: False,
    )
    def _await_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log.read_text()}")
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False
