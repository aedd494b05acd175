from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from bicross.errors import UsageError
from bicross.local.releases import (
    LIB,
    TRANSPORT,
    LockedJar,
    Release,
    locked_versions,
    read_release,
)

ANY_LOCK = pytest.mark.parametrize("version", locked_versions())


def test_tested_versions_come_newest_first() -> None:
    numbers = [tuple(map(int, version.split("."))) for version in locked_versions()]
    assert len(numbers) >= 3
    assert numbers == sorted(numbers, reverse=True)


@ANY_LOCK
def test_a_lock_names_its_own_version(version: str) -> None:
    release = read_release(version)
    assert release.version == version
    assert f"org.elasticsearch:elasticsearch:{version}" in {jar.coordinate for jar in release.jars}


@ANY_LOCK
def test_a_lock_has_the_transport_in_a_module_of_its_own(version: str) -> None:
    jars = read_release(version).jars
    assert f"transport-netty4-{version}.jar" in {j.file_name for j in jars if j.folder == TRANSPORT}
    assert not [jar for jar in jars if jar.folder == LIB and "netty" in jar.coordinate]


@ANY_LOCK
def test_no_two_jars_of_a_lock_would_overwrite_each_other(version: str) -> None:
    jars = read_release(version).jars
    assert len({(jar.folder, jar.file_name) for jar in jars}) == len(jars)


@pytest.mark.parametrize(("version", "java"), [("8.19.0", 17), ("9.2.0", 21), ("9.5.3", 21)])
def test_a_lock_knows_the_java_of_its_classes(version: str, java: int) -> None:
    assert read_release(version).java == java


@pytest.mark.parametrize(
    ("version", "published"), [("8.19.0", True), ("9.2.0", False), ("9.5.3", True)]
)
def test_a_lock_has_the_entitlement_bridge_where_it_was_published(
    version: str, published: bool
) -> None:
    assert (read_release(version).entitlement_bridge is not None) == published


def test_what_only_entitlements_need_stands_apart() -> None:
    release = read_release("9.5.3")
    assert {"jdk.jlink", "jdk.jdi"} <= set(release.entitlement_modules)
    assert not set(release.entitlement_modules) & set(release.java_modules)


@pytest.mark.parametrize("version", ["9.5.4", "latest", "../locks/9.5.3", ""])
def test_a_version_without_a_lock_is_refused_with_those_there_are(version: str) -> None:
    with pytest.raises(UsageError, match=r"9\.5\.3, 9\.2\.0, 8\.19\.0"):
        read_release(version)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"sha256": "9f3c"}, id="short digest"),
        pytest.param({"coordinate": "org.example:one"}, id="no version"),
        pytest.param({"coordinate": "org.example:../../one:1.0"}, id="path in coordinate"),
        pytest.param({"folder": "../lib"}, id="folder outside"),
        pytest.param({"size_bytes": 0}, id="no size"),
        pytest.param({"url": "http://localhost"}, id="unknown field"),
    ],
)
def test_a_malformed_jar_entry_is_refused(
    change: dict[str, object], make_jar: Callable[..., LockedJar]
) -> None:
    fields = make_jar(b"bytes").model_dump() | change
    with pytest.raises(ValidationError):
        LockedJar.model_validate(fields)


def test_a_lock_survives_writing_and_reading() -> None:
    release = read_release("8.19.0")
    assert Release.model_validate_json(release.model_dump_json()) == release


def test_a_release_weighs_what_its_jars_weigh(
    make_jar: Callable[..., LockedJar], make_release: Callable[..., Release]
) -> None:
    assert make_release(make_jar(b"123"), make_jar(b"45", "two")).size_bytes == 5


def test_locks_are_part_of_the_package() -> None:
    import bicross.local.releases as module  # noqa: PLC0415

    assert module.LOCKS.parent == Path(module.__file__).parent
