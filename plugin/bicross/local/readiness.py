"""When a started node may be used."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import httpx

POLL_S = 0.2
REQUEST_TIMEOUT_S = 5.0
STACK_FRAME = ("at ", "... ")
LOG_LINES = 20


class NotReadyInTime(Exception):
    """The node ended or did not become ready; the message says which."""


def wait_ready(
    child: "subprocess.Popen[bytes]",
    url: str,
    timeout_s: float,
    nodes: int,
    clock: Callable[[], float] = monotonic,
) -> None:
    """Comes back when `GET /` answers and the health of `nodes` nodes is yellow or green."""
    deadline = clock() + timeout_s
    with httpx.Client(base_url=url, timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        while not is_ready(client, nodes):
            # The pause between two questions is spent waiting for the process to end.
            if _ended_within(child, POLL_S):
                raise NotReadyInTime(f"ended with status {child.returncode} while starting")
            if clock() > deadline:
                raise NotReadyInTime(f"was not ready after {timeout_s:g} s")


def is_ready(client: httpx.Client, nodes: int = 1) -> bool:
    health = {"wait_for_status": "yellow", "wait_for_nodes": f">={nodes}", "timeout": "2s"}
    try:
        if client.get("/").status_code != httpx.codes.OK:
            return False
        return client.get("/_cluster/health", params=health).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def health(url: str) -> str | None:
    """Cluster health in Elasticsearch's words, None where the node does not answer."""
    try:
        answer = httpx.get(f"{url}/_cluster/health", timeout=REQUEST_TIMEOUT_S, trust_env=False)
        return str(answer.json()["status"])
    except (httpx.HTTPError, ValueError, KeyError):
        return None


def last_lines(log: Path, count: int = LOG_LINES) -> str:
    """What was said last: messages and causes, without the frames of stack traces."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "(no log)"
    lines = [line for line in lines if not line.lstrip().startswith(STACK_FRAME)]
    return "\n".join(lines[-count:]) or "(the log is empty)"


def _ended_within(child: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
