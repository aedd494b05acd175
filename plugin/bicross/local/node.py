"""A real node, started and stopped from Python.

spec = NodeSpec(version="9.5.3", home=folder, port=free_port())
with LocalNode(spec) as node:
    Elasticsearch(node.url).info()
"""

import subprocess
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bicross.errors import EnvironmentProblem
from bicross.local import home as homes
from bicross.local import launching, readiness
from bicross.local.choice import Choice, choose
from bicross.local.jars import Fetched, fetch_jars
from bicross.local.java import find_runtimes, given_runtime
from bicross.local.places import jar_cache
from bicross.local.ports import require_free
from bicross.local.record import NodeRecord, end_process, running_record, write_record
from bicross.local.spec import NodeSpec

START_TIMEOUT_S = 180.0
VECTOR_MODULE = "jdk.incubator.vector"


class LocalNode:
    """One node of `spec`; `notes` say after `start` what the user should know."""

    def __init__(self, spec: NodeSpec, choice: Choice | None = None) -> None:
        """Raises `EnvironmentProblem` where no Java runs that version."""
        runtimes = [given_runtime(spec.java)] if spec.java else None
        self.spec = replace(spec, home=spec.home.absolute(), data=spec.data_folder.absolute())
        self.choice = choice or choose(spec.version, runtimes or find_runtimes())
        self.notes: tuple[str, ...] = ()
        self.record: NodeRecord | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.spec.url

    @property
    def log(self) -> Path:
        return self.spec.home / "logs" / "node.log"

    @property
    def pid(self) -> int:
        """Process id; raises `EnvironmentProblem` where the node was not started."""
        if self.record is None:
            raise EnvironmentProblem(f"node {self.spec.name} was not started")
        return self.record.pid

    def start(self, *, wait: bool = True, on_jar: Fetched | None = None) -> Self:
        """Starts the process and, with `wait`, comes back when the node answers searches.

        Raises `EnvironmentProblem`: jars, assets or Java missing, port taken, the node ended or not
        ready in time (then with the last lines of its log).
        """
        if running_record(self.spec.home):
            raise EnvironmentProblem(f"a node already runs in {self.spec.home}; stop it first")
        require_free(self.spec.port)
        files = fetch_jars(self.choice.release, jar_cache(), on_jar)
        layout = homes.lay_out(self.spec, self.choice, files)
        self.notes = (*layout.notes, *_runtime_notes(self.choice))
        self._child = launching.launch(self.spec, self.choice, self.log)
        self.record = NodeRecord(
            pid=self._child.pid,
            created=psutil.Process(self._child.pid).create_time(),
            version=self.spec.version,
            port=self.spec.port,
            endpoints=self.spec.endpoints,
            data=str(self.spec.data_folder),
            java=str(self.choice.runtime.home),
            log=str(self.log),
            with_plugin=layout.with_plugin,
        )
        write_record(self.spec.home, self.record)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S, nodes: int = 1) -> None:
        """Comes back when `nodes` nodes are one cluster and every primary shard is started."""
        if self._child is None:
            raise EnvironmentProblem(f"node {self.spec.name} was not started")
        try:
            readiness.wait_ready(self._child, self.url, timeout_s, nodes)
        except readiness.NotReadyInTime as problem:
            self.stop()
            raise EnvironmentProblem(
                f"Elasticsearch {self.spec.version} {problem}; the end of {self.log}:\n"
                f"{readiness.last_lines(self.log)}"
            ) from problem

    def stop(self) -> None:
        """Ends the node: asked first, killed after 30 s."""
        if self._child is not None:
            if self._child.poll() is None:
                end_process(psutil.Process(self._child.pid))
            self._child.wait()

    def kill(self) -> None:
        """Ends the process at once, as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Self:
        return self.start() if self._child is None else self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _runtime_notes(choice: Choice) -> list[str]:
    if VECTOR_MODULE in choice.runtime.modules:
        return []
    return [f"this Java lacks {VECTOR_MODULE}: vector search runs without SIMD, thus slower"]
