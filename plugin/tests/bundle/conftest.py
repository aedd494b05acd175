"""A bundle of real bytes that is cheap to write again and again: the tiny one of the tests."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import Manifest
from bicross.bundle.layout import MANIFEST
from bicross.bundle.store import file_records

TINY = Path(__file__).parents[1] / "bundles" / "tiny-bi"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A writable copy of a bundle."""
    target = tmp_path / "bundle"
    shutil.copytree(TINY, target, copy_function=shutil.copyfile)
    return target


@pytest.fixture(scope="session")
def raw() -> dict[str, Any]:
    """Its manifest as plain JSON."""
    return Manifest.parse((TINY / MANIFEST).read_bytes()).model_dump(mode="json")


@pytest.fixture(scope="session")
def digested() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A changed manifest with the digest that belongs to it."""

    def digested(raw: dict[str, Any]) -> dict[str, Any]:
        return Manifest.model_validate(raw).sealed().model_dump(mode="json")

    return digested


@pytest.fixture
def recorded() -> Callable[[Path], None]:
    """Makes a folder's manifest agree with its files, as an attacker would."""

    def recorded(folder: Path) -> None:
        manifest = Manifest.parse((folder / MANIFEST).read_bytes())
        files = file_records(folder)
        (folder / MANIFEST).write_text(manifest.model_copy(update={"files": files}).to_json())

    return recorded
