"""Builders of the local node's tests: small releases, and real nodes in folders of their own."""

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bicross.local import places
from bicross.local.java import JavaRuntime
from bicross.local.releases import LIB, LockedJar, Release


def locked_jar(content: bytes, name: str = "one") -> LockedJar:
    return LockedJar(
        coordinate=f"org.example:{name}:1.0",
        folder=LIB,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
    )


def release_of(*jars: LockedJar, version: str = "9.9.9") -> Release:
    return Release(
        version=version,
        java=21,
        java_modules=("java.logging",),
        entitlement_modules=("jdk.jdi",),
        jars=jars,
    )


def runtime(major: int, *modules: str, home: str = "/opt/java") -> JavaRuntime:
    return JavaRuntime(Path(home), major, frozenset(modules), "usual places")


@pytest.fixture
def make_jar() -> Callable[..., LockedJar]:
    return locked_jar


@pytest.fixture
def make_release() -> Callable[..., Release]:
    return release_of


@pytest.fixture
def make_runtime() -> Callable[..., JavaRuntime]:
    return runtime


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A new folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="bicross-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def bicross_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, with the machine's jar cache in it: jars are many."""
    cache = places.jar_cache()
    monkeypatch.setenv("BICROSS_HOME", str(tmp_path))
    if cache.is_dir():
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "jars").symlink_to(cache)
    return tmp_path


@pytest.fixture
def bicross_command() -> list[str]:
    return [str(Path(sys.executable).with_name("bicross")), "local"]
