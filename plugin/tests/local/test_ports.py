import os
import socket

import pytest

from bicross.errors import EnvironmentProblem
from bicross.local.ports import free_port, require_free


def test_a_taken_port_is_named_with_its_holder_and_the_option_to_change_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"port {port} .*--port") as refusal:
            require_free(port)
    assert f"process {os.getpid()}" in str(refusal.value)


def test_a_free_port_passes() -> None:
    require_free(free_port())


def test_a_port_that_a_closed_connection_lingers_on_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
            client.recv(1)
    require_free(port)
