"""errors.py and protocol/errors.json say the same."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bicross.errors import BicrossError, BundleError, ManifestError, RequestError

PROTOCOL = Path(__file__).parents[1] / "protocol"
ROWS = {row["code"]: row for row in json.loads((PROTOCOL / "errors.json").read_text())}


def concrete(cls: type[BicrossError]) -> Iterator[type[BicrossError]]:
    for child in cls.__subclasses__():
        if child not in {BundleError, ManifestError, RequestError}:
            yield child
        yield from concrete(child)


@pytest.mark.parametrize("cls", list(concrete(BicrossError)), ids=lambda cls: cls.__name__)
def test_each_error_class_is_a_row_of_the_shared_list(cls: type[BicrossError]) -> None:
    row = ROWS[cls.code]
    if issubclass(cls, RequestError):
        assert (cls.type, cls.status) == (row["type"], row["status"]["http"])
    else:
        assert cls.exit_status == row["exit"]


def test_each_row_that_python_can_meet_has_a_class() -> None:
    codes = {cls.code for cls in concrete(BicrossError)}
    for row in ROWS.values():
        if "http" in row["status"] or "exit" in row:
            assert row["code"] in codes
