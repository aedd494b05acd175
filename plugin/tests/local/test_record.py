import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bicross.local.record import (
    FILE_NAME,
    NodeRecord,
    end_process,
    read_record,
    running_record,
    write_record,
)

IDLE = "import sys; print('ready', flush=True); sys.stdin.read()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {IDLE}"


def child_running(program: str) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


@pytest.fixture
def record() -> NodeRecord:
    me = psutil.Process()
    return NodeRecord(
        pid=me.pid,
        created=me.create_time(),
        version="9.5.3",
        port=9200,
        endpoints=("http://127.0.0.1:8380",),
        data="/var/data",
        java="/opt/java",
        log="/var/log",
        with_plugin=True,
    )


def test_a_record_survives_writing_and_reading(tmp_path: Path, record: NodeRecord) -> None:
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert running_record(tmp_path) == record


def test_a_pid_that_was_given_to_another_process_is_not_the_node(
    tmp_path: Path, record: NodeRecord
) -> None:
    write_record(tmp_path, replace(record, created=record.created - 60))
    assert running_record(tmp_path) is None


def test_an_ended_process_is_not_running_even_before_it_is_waited_for(
    tmp_path: Path, record: NodeRecord
) -> None:
    with child_running(IDLE) as child:
        process = psutil.Process(child.pid)
        write_record(tmp_path, replace(record, pid=child.pid, created=process.create_time()))
        assert running_record(tmp_path) is not None
        child.communicate()
        assert running_record(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    assert read_record(tmp_path) is None


@pytest.mark.parametrize(
    ("program", "gracefully"), [(IDLE, True), (STUBBORN, False)], ids=["polite", "stubborn"]
)
def test_a_process_is_asked_to_end_before_it_is_killed(program: str, gracefully: bool) -> None:
    with child_running(program) as child:
        assert end_process(psutil.Process(child.pid), timeout_s=0.5) == gracefully
        assert not psutil.pid_exists(child.pid)
