import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bicross.local.ports import free_port
from bicross.local.readiness import NotReadyInTime, health, is_ready, last_lines, wait_ready


def client_answering(**status_by_path: int) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.strip("/") or "root"
        return httpx.Response(status_by_path[name])

    return httpx.Client(transport=httpx.MockTransport(answer), base_url="http://node")


@pytest.mark.parametrize(
    ("root", "cluster", "ready"),
    [(200, 200, True), (200, 408, False), (503, 200, False)],
    ids=["both", "shards start", "node starts"],
)
def test_a_node_is_ready_when_it_answers_and_its_shards_are_started(
    root: int, cluster: int, ready: bool
) -> None:
    with client_answering(root=root, **{"_cluster/health": cluster}) as client:
        assert is_ready(client) == ready


def test_a_node_that_does_not_answer_is_not_ready() -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{free_port()}") as client:
        assert not is_ready(client)


def test_a_node_that_does_not_answer_has_no_health() -> None:
    assert health(f"http://127.0.0.1:{free_port()}") is None


def test_waiting_ends_at_once_when_the_process_does() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as child,
        pytest.raises(NotReadyInTime, match="ended with status 3"),
    ):
        wait_ready(child, url, timeout_s=60, nodes=1)


def test_waiting_ends_at_the_deadline() -> None:
    times = iter([0.0, 30.0, 61.0])
    idle = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(idle, stdin=subprocess.PIPE) as child:  # noqa: S603
        url = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(NotReadyInTime, match="not ready after 60 s"):
            wait_ready(child, url, timeout_s=60, nodes=1, clock=lambda: next(times))


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert last_lines(log, 2) == "line 98\nline 99"


def test_a_log_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "node.log") == "(no log)"
