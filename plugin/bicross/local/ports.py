"""Ports of the loopback address: free ones, and who holds a taken one."""

import socket

import psutil

from bicross.errors import EnvironmentProblem

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on now; another process may still be faster."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def require_free(port: int, option: str = "--port") -> None:
    """Raises `EnvironmentProblem` naming the port and, where the system tells, its holder."""
    with socket.socket() as probe:
        # As the node does: a connection that lingers from an earlier run does not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as problem:
            raise EnvironmentProblem(
                f"port {port} of {LOOPBACK} cannot be used ({problem.strerror}){_holder(port)}; "
                f"end that process or choose another port with {option}"
            ) from problem


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,):
                if connection.pid is None:
                    return ": a process of another user listens on it"
                name = psutil.Process(connection.pid).name()
                return f": process {connection.pid} ({name}) listens on it"
    except psutil.Error:
        return ""  # some systems tell root only
    return ""
