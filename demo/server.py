"""The demo's inference server: started in the environment without torch, left running."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

URL = "http://127.0.0.1:8380"
START_S = 60
STOP_S = 25


class NotReadyYet(Exception):
    """The server has not answered ready."""


def start(command: Path, bundles: Sequence[Path], folder: Path) -> None:
    """Serves `bundles`, unless a server left by an earlier run already does."""
    wanted = [str(bundle) for bundle in bundles]
    if _running(folder) and json.loads((folder / "server.json").read_text()) == wanted:
        return
    stop(folder)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [command, "serve", *wanted], stdout=log, stderr=log, start_new_session=True
        )
    (folder / "server.pid").write_text(str(process.pid))
    (folder / "server.json").write_text(json.dumps(wanted))
    _await_ready(process, folder / "server.log")


def stop(folder: Path) -> bool:
    """Ends the server that this folder started; says whether there was one."""
    process = _running(folder)
    if process is None:
        return False
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except psutil.TimeoutExpired:
        process.kill()
    (folder / "server.pid").unlink()
    return True


def _running(folder: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(int((folder / "server.pid").read_text()))
        alive = "serve" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    return process if alive else None


@retry(
    retry=retry_if_exception_type(NotReadyYet),
    stop=stop_after_delay(START_S),
    wait=wait_fixed(0.2),
    reraise=True,
)
def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    if process.poll() is not None:
        raise SystemExit(f"the server ended with status {process.returncode}:\n{log.read_text()}")
    try:
        httpx.get(f"{URL}/health/ready").raise_for_status()
    except httpx.HTTPError as error:
        raise NotReadyYet(f"{URL} is not ready after {START_S} s, see {log}: {error}") from None
