"""`bicross serve` as a process of its own, over real HTTP."""

import base64
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import cohere
import httpx
import numpy as np
import openai
import pytest

from bicross.runtime import BiEncoder, CrossEncoder
from bicross.server.app import create_app
from bicross.server.models.catalog import Catalog
from bicross.server.process import listen, uvicorn_config
from bicross.server.settings import Settings
from bicross.server.transport.door import Doors

BUNDLES = Path(__file__).parents[1] / "bundles"
PATHS = [str(BUNDLES / "tiny-bi"), str(BUNDLES / "tiny-cross")]
KEY = "key-of-the-tests"
LONG_S = 60.0


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONG_S)


def answer(connection: socket.socket) -> HTTPResponse:
    """The next answer on `connection`, read to its end."""
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response


def command(*options: str, paths: Sequence[str] = PATHS) -> list[str]:
    return [str(Path(sys.executable).with_name("bicross")), "serve", *paths, *options]


def environment(**extra: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BICROSS_")}
    return clean | extra


@contextmanager
def serving(*options: str, **extra: str) -> Iterator[Running]:
    """A server on a port that the system chose; both models have reproduced their goldens."""
    process = subprocess.Popen(  # noqa: S603  our own command line
        command("--port", "0", *options),
        env=environment(**extra),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        port, ready = 0, 0
        # Models that are small are ready before the server listens.
        while ready < len(PATHS) or not port:
            line = process.stderr.readline()
            assert line, "the server ended before it was ready"
            ready += "ready" in line
            if " at http" in line:
                port = int(line.rpartition(":")[2])
        yield Running(process, port)
    finally:
        process.terminate()
        process.communicate(timeout=LONG_S)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(BICROSS_API_KEY=KEY) as running:
        yield running


@pytest.fixture
def http(server: Running) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=LONG_S) as client:
        yield client


@pytest.mark.parametrize("encoding", ["default", "float", "base64"])
def test_openai_s_client_gets_the_runtime_s_vectors(
    encoding: str, server: Running, bi_encoder: BiEncoder
) -> None:
    texts = ["the cat sat", "stock prices fell"]
    given: dict[str, Any] = {} if encoding == "default" else {"encoding_format": encoding}
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        answer = client.embeddings.create(model="tiny-bi", input=texts, **given)
        assert [model.id for model in client.models.list()] == ["tiny-bi", "tiny-cross"]
    found: list[Any] = [record.embedding for record in answer.data]
    if encoding == "base64":
        found = [np.frombuffer(base64.b64decode(each), "<f4") for each in found]
    assert np.abs(np.array(found) - bi_encoder.encode(texts, "passage")).max() < 1e-5
    assert answer.usage.total_tokens > 0


def test_openai_s_client_sends_input_type_as_an_extra_field(
    server: Running, bi_encoder: BiEncoder
) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        answer = client.embeddings.create(
            model="tiny-bi", input="a cat", extra_body={"input_type": "query"}
        )
    expected = bi_encoder.encode(["a cat"], "query")[0]
    assert answer.data[0].embedding == pytest.approx(expected.tolist(), abs=1e-5)


def test_openai_s_client_reads_our_errors(server: Running) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            client.embeddings.create(model="e5", input="a cat")
        with pytest.raises(openai.BadRequestError) as wrong:
            client.embeddings.create(model="tiny-bi", input="")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    assert (wrong.value.code, wrong.value.param) == ("invalid_request", "input")
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="no", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_cohere_s_clients_get_the_runtime_s_order(
    version: str, server: Running, cross_encoder: CrossEncoder
) -> None:
    query, documents = "the cat", ["stock prices fell", "the cat sat", "bread and salt"]
    kind = cohere.Client if version == "v1" else cohere.ClientV2
    with kind(api_key=KEY, base_url=server.url) as client:
        answer = client.rerank(model="tiny-cross", query=query, documents=documents, top_n=2)
    order = np.argsort(-cross_encoder.score(query, documents))[:2]
    assert [result.index for result in answer.results] == order.tolist()
    assert all(0 < result.relevance_score < 1 for result in answer.results)


def test_cohere_s_client_reads_our_errors(server: Running) -> None:
    with (
        cohere.ClientV2(api_key=KEY, base_url=server.url) as client,
        pytest.raises(cohere.NotFoundError) as missing,
    ):
        client.rerank(model="e5", query="q", documents=["d"])
    assert "served are" in missing.value.body["message"]


def test_connection_serves_many_requests(server: Running) -> None:
    request = f"GET /health/ready HTTP/1.1\r\nHost: {server.port}\r\n\r\n".encode()
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(request)
            assert answer(connection).status == 200


def test_body_over_the_limit_is_refused_and_its_connection_closed(server: Running) -> None:
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with server.connect() as connection:
        connection.sendall(head.encode())
        for _ in range(8):
            connection.sendall(chunk)
        # One byte more than 8 MB, and no end: the answer comes all the same.
        connection.sendall(b"1\r\n \r\n")
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 413")
    assert b"body_too_large" in received
    assert b"connection: close" in received.lower()


def test_declared_length_over_the_limit_is_refused_before_a_byte_is_sent(server: Running) -> None:
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: 8388609\r\n\r\n"
    )
    with server.connect() as connection:
        connection.sendall(head.encode())
        assert answer(connection).status == 413


def test_client_that_hangs_up_leaves_the_server_well(server: Running, http: httpx.Client) -> None:
    body = b'{"model": "tiny-bi", "input": ["' + b"cat " * 200 + b'"]}'
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for sent in (head.encode(), head.encode() + body[:50], head.encode() + body):
        with server.connect() as connection:
            connection.sendall(sent)
    assert http.get("/health/ready").status_code == 200
    # The server learns of the hang-up a little after the client has hung up.
    end = time.monotonic() + LONG_S
    while 'bicross_queue_tokens{lane="ingest"} 0.0' not in http.get("/metrics").text:
        assert time.monotonic() < end, "the tokens of the client that is gone are still queued"


def test_large_header_is_refused(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000)
        assert answer(connection).status == 400


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_signal_ends_the_server_with_status_0(number: signal.Signals) -> None:
    with serving() as running:
        running.process.send_signal(number)
        assert running.process.wait(LONG_S) == 0


def test_accepted_request_is_finished_after_a_signal_and_new_ones_are_refused() -> None:
    body = b'{"model": "tiny-bi", "input": ["the cat"]}'
    head = (
        "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with serving() as running, running.connect() as accepted, running.connect() as idle:
        # Its body is awaited: the request has begun, and the server waits for it.
        accepted.sendall(head.encode() + body[:10])
        idle.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(idle).status == 200
        running.process.send_signal(signal.SIGTERM)
        # The server hangs up on who waits for nothing.
        assert idle.recv(65536) == b""
        with pytest.raises(ConnectionRefusedError):
            running.connect()
        accepted.sendall(body[10:])
        assert answer(accepted).status == 200
        assert running.process.wait(LONG_S) == 0


def test_idle_connections_outlive_those_that_the_node_keeps(loaded_catalog: Catalog) -> None:
    settings = Settings.read()
    config = uvicorn_config(create_app(loaded_catalog, settings, Doors()), settings)
    assert config.timeout_keep_alive >= 75
    assert config.timeout_graceful_shutdown is not None
    assert config.timeout_graceful_shutdown <= 20


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_listener_says_that_it_speaks_tcp(host: str) -> None:
    with listen(host, 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_server_speaks_tls_with_its_certificate(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate of this test")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    files = ["-keyout", str(key), "-out", str(certificate)]
    alternative = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *made.split(), *files, *alternative], check=True, capture_output=True)  # noqa: S603
    options = ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
    trusted = ssl.create_default_context(cafile=certificate)
    old = ssl.create_default_context(cafile=certificate)
    old.set_ciphers("ECDHE+AES:!AESGCM:!AESCCM")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(*options) as running:
        for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trusted.maximum_version = newest
            url = f"https://127.0.0.1:{running.port}/health/ready"
            assert httpx.get(url, verify=trusted).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, verify=old)
