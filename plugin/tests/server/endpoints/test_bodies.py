"""A body is one JSON object in UTF-8, within its limit; what it is instead is said."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from bicross.errors import BodyTooLarge, DeadlineExceeded, InvalidJson, Overloaded
from bicross.server.endpoints.bodies import SMALL_BYTES, parse, read_body

URL = "/v1/embeddings"
JSON = {"content-type": "application/json"}


async def post(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post(URL, content=content, headers=JSON)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b'{"model": "m",}', "not JSON at offset 14"),
        (b"{", "not JSON at offset 1"),
        (b"hello", "not JSON at offset 0"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[1, 2]", "an array; send a JSON object"),
        (b'"text"', "a string; send a JSON object"),
        (b"null", "null; send a JSON object"),
        (b'{"model": "\xff"}', "not UTF-8 at offset 11"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number that is too long"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
async def test_body_that_is_no_object_is_refused_by_what_it_is(
    content: bytes, fragment: str, client: httpx.AsyncClient
) -> None:
    response = await post(client, content)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("invalid_json", "body")
    assert fragment in error["message"]


@given(st.binary(max_size=60))
@example(b'{"a": ' + b"9" * 5000 + b"}")
@example(b'{"a": 1e999}')
def test_any_bytes_parse_or_are_refused_as_invalid_json(content: bytes) -> None:
    try:
        parse(content)
    except InvalidJson as error:
        assert error.param == "body"  # noqa: PT017  both outcomes are right


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", None], ids=str
)
async def test_body_that_is_not_declared_as_json_is_refused(
    content_type: str | None, client: httpx.AsyncClient
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await client.post(URL, content=b"{}", headers=headers)
    assert response.status_code == 415
    assert response.json()["error"]["code"] == "unsupported_media_type"


async def test_content_type_may_have_parameters(
    client: httpx.AsyncClient, embeddings_body: dict[str, Any]
) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    response = await client.post(URL, json=embeddings_body, headers=headers)
    assert response.status_code == 200


def request(chunks: AsyncIterator[bytes], headers: dict[str, str]) -> Request:
    async def receive() -> dict[str, Any]:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": chunk, "more_body": True}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw}, receive)


def unexpected(size: int) -> None:
    pytest.fail(f"told of {size} bytes")


async def test_reading_stops_at_the_limit() -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1000

    with pytest.raises(BodyTooLarge, match="max_body_bytes is 10000"):
        await read_body(request(chunks(), JSON), 10_000, 60, unexpected)
    assert sent == 11


async def never() -> AsyncIterator[bytes]:
    pytest.fail("read")
    yield b""


async def test_declared_length_over_the_limit_is_not_read_at_all() -> None:
    headers = JSON | {"content-length": "10001"}
    with pytest.raises(BodyTooLarge, match="has 10001 bytes"):
        await read_body(request(never(), headers), 10_000, 60, unexpected)


async def test_body_that_does_not_arrive_is_given_up() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    with pytest.raises(DeadlineExceeded, match="body_timeout_s"):
        await read_body(request(chunks(), JSON), 10_000, 0.01, unexpected)


LIMIT = 4 * SMALL_BYTES


async def test_large_body_is_not_read_before_it_is_expected() -> None:
    def refuse(size: int) -> None:
        raise Overloaded(f"of {size} bytes")

    headers = JSON | {"content-length": str(SMALL_BYTES + 1)}
    with pytest.raises(Overloaded, match=str(SMALL_BYTES + 1)) as caught:
        await read_body(request(never(), headers), LIMIT, 60, refuse)
    assert caught.value.param is None


async def test_body_of_unknown_length_is_expected_to_be_the_largest_once_it_is_large() -> None:
    sent, told = 0, []

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * (SMALL_BYTES // 2)

    def refuse(size: int) -> None:
        told.append(size)
        raise Overloaded("full")

    with pytest.raises(Overloaded) as caught:
        await read_body(request(chunks(), JSON), LIMIT, 60, refuse)
    assert told == [LIMIT]
    assert sent == 3
    assert caught.value.param == "body"
