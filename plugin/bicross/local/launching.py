"""Starts the node's process: by our launcher, or by the server's main class with entitlements."""

import os
import pwd
import subprocess
import threading
from pathlib import Path
from typing import Any, BinaryIO

from bicross.errors import EnvironmentProblem
from bicross.local.choice import Choice
from bicross.local.configuration import LAUNCHER, enforced_command, launcher_command
from bicross.local.home import CONFIG, hand_over
from bicross.local.spec import NodeSpec

TOOL_TIMEOUT_S = 60

# Options that would reach the JVM behind our back, and a secret that is none of its business.
KEPT_FROM_THE_NODE = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "BICROSS_API_KEY")


def launch(spec: NodeSpec, choice: Choice, log: Path) -> "subprocess.Popen[bytes]":
    """The node's process, in a session of its own, writing to `log`; the last run's log is kept.

    Raises `EnvironmentProblem` where entitlements cannot be enforced here, or the keystore or the
    arguments cannot be written.
    """
    if spec.keystore:
        _write_keystore(spec, choice)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        if not spec.entitlements:
            command = launcher_command(spec, choice)
            return _start(spec, command, output, stdin=subprocess.DEVNULL)
        _require_enforceable(choice)
        served = _run_tool(spec, choice, ["WriteServerArgs", str(spec.home)])
        return _start_enforced(spec, enforced_command(spec, choice), output, served)


def _require_enforceable(choice: Choice) -> None:
    version = choice.release.version
    if choice.release.entitlement_bridge is None:
        raise EnvironmentProblem(
            f"entitlements cannot be enforced on Elasticsearch {version}: the jar that this takes "
            "was never published for it"
        )
    if not choice.on_module_path:
        lacking = ", ".join(choice.runtime.lacking(choice.release.entitlement_modules))
        raise EnvironmentProblem(
            f"entitlements cannot be enforced on Java at {choice.runtime.home}: it lacks the "
            f"modules {lacking}; take a full JDK of {choice.release.java} or newer"
        )


def _write_keystore(spec: NodeSpec, choice: Choice) -> None:
    lines = [f"{name}={value}" for name, value in spec.keystore.items()]
    if any("\n" in line for line in lines):
        raise EnvironmentProblem("a keystore entry holds a line break; entries are one line each")
    _run_tool(spec, choice, ["WriteKeystore"], "\n".join(lines).encode())


def _run_tool(spec: NodeSpec, choice: Choice, arguments: list[str], given: bytes = b"") -> bytes:
    """Standard output of one of the launcher's small programs; the configuration comes last."""
    tool, *rest = arguments
    command = [
        *(str(choice.runtime.java), "-cp", f"{spec.home / LAUNCHER}:{spec.home / 'lib'}/*"),
        *(f"org.bicross.local.{tool}", *rest, str(spec.home / CONFIG)),
    ]
    ran = subprocess.run(  # noqa: S603
        command, input=given, capture_output=True, check=False, timeout=TOOL_TIMEOUT_S
    )
    if ran.returncode != 0:
        reason = ran.stderr.decode(errors="replace").strip()
        raise EnvironmentProblem(f"{tool} failed for {spec.home}: {reason}")
    return ran.stdout


def _start(
    spec: NodeSpec,
    command: list[str],
    output: BinaryIO,
    **more: Any,  # noqa: ANN401
) -> "subprocess.Popen[bytes]":
    environment = {k: v for k, v in os.environ.items() if k not in KEPT_FROM_THE_NODE}
    return subprocess.Popen(  # noqa: S603
        command,
        # The server looks for its native libraries from its home, and a crash report belongs there.
        cwd=spec.home,
        env={**environment, "LIBFFI_TMPDIR": str(spec.home / "tmp")},
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **more,
    )


def _start_enforced(
    spec: NodeSpec, command: list[str], output: BinaryIO, served: bytes
) -> "subprocess.Popen[bytes]":
    """The server reads its arguments from standard input and takes its end for its parent's death:
    so the child holds both ends of the pipe, and outlives this process.
    """
    reader, writer = os.pipe()
    try:
        identity = _identity(spec)
        child = _start(spec, command, output, stdin=reader, pass_fds=(writer,), **identity)
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)

    def serve() -> None:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(served)

    # A thread, because a child that dies early never drains a pipe that is full.
    threading.Thread(target=serve, name="server-arguments", daemon=True).start()
    return child


def _identity(spec: NodeSpec) -> dict[str, Any]:
    """Popen's arguments for the user that the node runs as; the server refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam(spec.run_as)
    except KeyError as problem:
        raise EnvironmentProblem(
            f"the server refuses root, and there is no user {spec.run_as!r} to run it as"
        ) from problem
    closed = [path for path in spec.home.parents if not path.stat().st_mode & 0o001]
    if closed:
        raise EnvironmentProblem(
            f"{closed[0]} is closed to user {spec.run_as}, who is to run the node in {spec.home}; "
            "choose a home in a folder that others may enter"
        )
    hand_over(spec, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
