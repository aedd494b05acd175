"""What `bicross local up` does: choose, start, and say what was done."""

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from bicross.errors import EnvironmentProblem, UsageError
from bicross.local.choice import Choice, choose
from bicross.local.home import wipe_data
from bicross.local.jars import missing_bytes
from bicross.local.java import find_runtimes, given_runtime
from bicross.local.node import LocalNode
from bicross.local.places import jar_cache, node_home, nodes_folder, plugin_zip
from bicross.local.ports import require_free
from bicross.local.record import NodeRecord, running_record
from bicross.local.running import running_nodes
from bicross.local.spec import DEFAULT_ENDPOINT, ENDPOINT_NAME, NodeSpec

__all__ = ["DEFAULT_ENDPOINT", "Started", "Wish", "start"]


@dataclass(frozen=True)
class Wish:
    """The command line's options."""

    version: str | None
    port: int
    endpoints: tuple[str, ...]
    data: Path | None
    fresh: bool
    java: Path | None
    heap: str
    log_level: str
    settings: Mapping[str, str]
    api_key: str | None = field(repr=False)


@dataclass(frozen=True)
class Started:
    """A running node, why it is that version, and what the user should know."""

    record: NodeRecord
    already_up: bool
    reason: str
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self.record),
            "url": self.record.url,
            "already_up": self.already_up,
            "reason": self.reason,
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        state = "is already up" if self.already_up else "is up"
        record = self.record
        return "\n".join(
            [
                self.reason,
                *(f"note: {note}" for note in self.notes),
                f"Elasticsearch {record.version} {state} at {record.url} (process {record.pid})",
                f"data: {record.data}",
                f"log:  {record.log}",
                "next: bicross local status | logs | down",
            ]
        )


def start(wish: Wish, *, quiet: bool) -> Started:
    """Starts the node that was wished for; one that already runs so is left alone.

    Raises `UsageError` where the running node differs from the wish, `EnvironmentProblem` as
    `LocalNode.start` does.
    """
    with _one_at_a_time():
        running = _same_running(wish)
        if running:
            return Started(running, already_up=True, reason=f"version {running.version} runs")
        runtimes = [given_runtime(wish.java)] if wish.java else find_runtimes()
        choice = choose(wish.version, runtimes)
        spec = _spec(wish, choice)
        if running_record(spec.home):
            raise UsageError(
                f"Elasticsearch {spec.version} runs already, with other options or data to keep; "
                f"`bicross local down --version {spec.version}` ends it"
            )
        node = LocalNode(spec, choice)
        if wish.fresh:
            require_free(spec.port)  # first what may refuse, then what cannot be undone
            wipe_data(spec.data_folder)
        record = _start_with_progress(node, quiet=quiet)
        return Started(record, already_up=False, reason=choice.reason, notes=node.notes)


def _same_running(wish: Wish) -> NodeRecord | None:
    """A node that runs already and is what is wished for."""
    if wish.fresh:
        return None
    for record in running_nodes():
        if wish.version in (None, record.version) and record.port == wish.port:
            data = str(wish.data or node_home(record.version) / "data")
            if (record.endpoints, record.data) == (wish.endpoints, data):
                return record
    return None


def _spec(wish: Wish, choice: Choice) -> NodeSpec:
    version = choice.release.version
    secure = {}
    if wish.api_key and plugin_zip(version).is_file():
        secure[f"bicross.endpoint.{ENDPOINT_NAME}.api_key"] = wish.api_key
    return NodeSpec(
        version=version,
        home=node_home(version),
        port=wish.port,
        java=wish.java,
        heap=wish.heap,
        log_level=wish.log_level,
        data=wish.data,
        endpoints=wish.endpoints,
        settings=wish.settings,
        keystore=secure,
    )


def _start_with_progress(node: LocalNode, *, quiet: bool) -> NodeRecord:
    release = node.choice.release
    to_fetch = missing_bytes(release, jar_cache())
    console = Console(stderr=True, quiet=quiet)
    if to_fetch:
        console.print(
            f"downloading Elasticsearch {release.version}: {len(release.jars)} jars, "
            f"{to_fetch / 1e6:.0f} MB, once"
        )
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not to_fetch) as progress:
        task = progress.add_task("jars", total=release.size_bytes)
        node.start(wait=False, on_jar=lambda jar: progress.advance(task, jar.size_bytes))
    with console.status(f"starting Elasticsearch {release.version}"):
        node.wait_ready()
    if node.record is None:
        raise EnvironmentProblem("the node was not started")
    return node.record


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two `up` at once would lay out one home twice: the second waits, and finds the node up."""
    nodes_folder().mkdir(parents=True, exist_ok=True)
    with (nodes_folder() / "up.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
