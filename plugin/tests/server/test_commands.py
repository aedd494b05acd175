"""`bicross serve` that cannot start says why, with the exit status of that kind of error."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bicross.errors import BicrossError
from bicross.server.commands import serve

BUNDLES = Path(__file__).parents[1] / "bundles"
TINY = str(BUNDLES / "tiny-bi")
NETWORK = "0.0.0.0"  # noqa: S104  the case in question

app = typer.Typer()
app.command()(serve)


def failure(*arguments: str) -> BicrossError:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, BicrossError), result.output
    return result.exception


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_port_that_is_taken_is_named_with_the_option(taken_port: int) -> None:
    error = failure(TINY, "--port", str(taken_port))
    assert error.exit_status == 5
    assert f"port {taken_port}: Address already in use" in str(error)
    assert "--port" in str(error)


def test_path_that_is_no_bundle_is_named(tmp_path: Path) -> None:
    error = failure(TINY, str(tmp_path))
    assert error.exit_status == 4
    assert str(error) == f"bundle {tmp_path.name}: manifest.json is missing"


def test_network_bind_without_key_and_tls_is_refused() -> None:
    error = failure(TINY, "--host", NETWORK)
    assert error.exit_status == 2
    assert "--allow-insecure" in str(error)


def test_certificate_without_its_key_is_refused() -> None:
    error = failure(TINY, "--ssl-certfile", "cert.pem")
    assert error.exit_status == 2
    assert "come together" in str(error)


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["absent", "broken"])
def test_certificate_that_cannot_be_used_is_named(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    if content:
        file.write_text(content)
    options = ["--ssl-certfile", str(file), "--ssl-keyfile", str(file), "--port", "0"]
    error = failure(TINY, *options)
    assert error.exit_status == 2
    assert str(file) in str(error)


def test_same_bundle_twice_is_refused() -> None:
    assert failure(TINY, TINY).exit_status == 2


def test_no_bundle_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "BUNDLE..." in result.output
