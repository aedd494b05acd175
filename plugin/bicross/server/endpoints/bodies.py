"""A request's body: read within limits of size and time, and parsed as one JSON object."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NoReturn

import orjson
from starlette.requests import Request

from bicross.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    InvalidJson,
    Overloaded,
    UnsupportedMediaType,
)
from bicross.server.endpoints.texts import json_type

# As much is read of any body: so much of each connection's lies in a buffer unasked.
SMALL_BYTES = 65_536


async def read_body(
    request: Request, max_bytes: int, timeout_s: float, expect: Callable[[int], None]
) -> bytes:
    """The body, whose size `expect` is told before more than `SMALL_BYTES` of it are read: as it
    was declared, or as much as it may be.

    Raises what `expect` does, `UnsupportedMediaType`, `BodyTooLarge`, and `DeadlineExceeded` where
    the body did not arrive within `timeout_s`.
    """
    _require_json_type(request.headers.get("content-type", ""))
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request, max_bytes, expect)
    except TimeoutError:
        raise DeadlineExceeded(
            f"the body did not arrive within body_timeout_s, {timeout_s} s", param="body"
        ) from None


def parse_object(body: bytes) -> dict[str, Any]:
    """Raises `InvalidJson`."""
    value = parse(body)
    if not isinstance(value, dict):
        raise InvalidJson(f"`body` is {json_type(value)}; send a JSON object", param="body")
    return value


def parse(body: bytes) -> Any:  # noqa: ANN401  any JSON
    """Raises `InvalidJson`, naming the offset of the first bad byte.

    What orjson refuses is read again by the standard library: for its offsets, and because it lets
    a lone surrogate through, which texts.py then refuses under its field's name.
    """
    if not body.strip():
        raise InvalidJson("`body` is empty; send a JSON object", param="body")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body.decode())
    except UnicodeDecodeError as error:
        _refuse(f"is not UTF-8 at offset {error.start}")
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON at offset {error.pos}: {error.msg}")
    except RecursionError:
        _refuse("is nested too deeply")
    except ValueError:
        _refuse("holds a number that is too long")


def _refuse(fact: str) -> NoReturn:
    raise InvalidJson(f"`body` {fact}", param="body") from None


def _require_json_type(content_type: str) -> None:
    found = content_type.partition(";")[0].strip().lower()
    if found != "application/json":
        shown = repr(found[:80]) if found else "missing"
        raise UnsupportedMediaType(f"content-type is {shown}; send application/json")


async def _read(request: Request, max_bytes: int, expect: Callable[[int], None]) -> bytes:
    """Reads no further than the limit; a declared length is believed when it is too much."""
    declared = request.headers.get("content-length", "")
    known = declared.isdecimal()
    if known and int(declared) > max_bytes:
        raise _too_large(max_bytes, f"{int(declared)} bytes")
    if known and int(declared) > SMALL_BYTES:
        expect(int(declared))
    chunks, size = [], 0
    async for chunk in request.stream():
        before, size = size, size + len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes, "more")
        if not known and before <= SMALL_BYTES < size:
            _expect_unknown(expect, max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _expect_unknown(expect: Callable[[int], None], max_bytes: int) -> None:
    try:
        expect(max_bytes)
    except Overloaded as error:
        # Nobody knows how much would have to be read before the connection can be used again.
        error.param = "body"
        raise


def _too_large(max_bytes: int, found: str) -> BodyTooLarge:
    return BodyTooLarge(
        f"`body` has {found}; the limit max_body_bytes is {max_bytes}: send less at a time",
        param="body",
    )
