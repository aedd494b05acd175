"""The tiny bundles, copies of them that a test may damage, and ONNX files written by hand."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bicross.bundle import Bundle


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Bundle], Bundle]:
    """The same bundle in a folder of the test's own, no longer verified."""

    def copy(bundle: Bundle) -> Bundle:
        shutil.copytree(bundle.path, tmp_path / "copy")
        return replace(bundle, path=tmp_path / "copy")

    return copy


def message(*fields: tuple[int, bytes | str | int]) -> bytes:
    """One protobuf message: numbers as varints, the rest with its length before it."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(content)) + content
    return bytes(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


Message = Callable[..., bytes]


@pytest.fixture(scope="session", name="message")
def message_fixture() -> Message:
    """Writes protobuf, so that hostile graphs need no onnx package."""
    return message
