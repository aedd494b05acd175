"""What is known of a started node across processes: `node.json` in its home."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

FILE_NAME = "node.json"
STOP_TIMEOUT_S = 30.0
KILL_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class NodeRecord:
    """A started node.

    `created` is the process's start in seconds since the epoch: with `pid` it names one process for
    good, where a pid alone may have been given to another since.
    """

    pid: int
    created: float
    version: str
    port: int
    endpoints: tuple[str, ...]
    data: str
    java: str
    log: str
    with_plugin: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process(self) -> psutil.Process | None:
        """The node's process; None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except psutil.NoSuchProcess:
            return None
        return None


def write_record(home: Path, record: NodeRecord) -> None:
    target = home / FILE_NAME
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    fresh.replace(target)


def read_record(home: Path) -> NodeRecord | None:
    """The record of the last start; None without one, or with one that another release wrote."""
    try:
        fields = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
        return NodeRecord(**{**fields, "endpoints": tuple(fields["endpoints"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def running_record(home: Path) -> NodeRecord | None:
    """The record of a node that lives."""
    record = read_record(home)
    return record if record is not None and record.process() is not None else None


def end_process(process: psutil.Process, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Asks the process to end, and after `timeout_s` ends it; True where asking was enough."""
    try:
        process.terminate()
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(KILL_TIMEOUT_S)
        return False
    return True
