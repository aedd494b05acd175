"""A process that is given folders, for folders that may end it."""

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO


class FolderWorker:
    """`script` reads a path per line and answers each with a line; another process takes the place
    of one that has died or has not answered for `longest_s` seconds.
    """

    def __init__(self, script: Path, longest_s: float) -> None:
        self._script = script
        self._longest_s = longest_s
        self._process = self._start()

    def outcome(self, folder: Path) -> str:
        """The script's line, `hung`, or how it crashed."""
        sent, answered = self._process.stdin, self._process.stdout
        assert sent is not None
        assert answered is not None
        try:
            sent.write(f"{folder}\n")
            sent.flush()
            ready = select.select([answered], [], [], self._longest_s)[0]
            line = answered.readline() if ready else "hung"
        except BrokenPipeError:
            # It died after its last answer.
            line = ""
        if line not in {"", "hung"}:
            return line.strip()
        self._process.kill()
        status = self._process.wait()
        self._process = self._start()
        return line or f"crashed with status {status}"

    def close(self) -> None:
        pipes: tuple[IO[str] | None, ...] = (self._process.stdin, self._process.stdout)
        for pipe in pipes:
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(self._script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            text=True,
        )
