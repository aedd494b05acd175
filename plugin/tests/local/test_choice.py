from collections.abc import Callable

import pytest

from bicross.errors import EnvironmentProblem, UsageError
from bicross.local.choice import choose
from bicross.local.java import JavaRuntime
from bicross.local.releases import locked_versions, read_release

Make = Callable[..., JavaRuntime]

NEWEST = read_release(locked_versions()[0])
FULL = (*NEWEST.java_modules, *NEWEST.entitlement_modules)


def test_the_newest_version_is_taken_where_a_runtime_runs_it(make_runtime: Make) -> None:
    choice = choose(None, [make_runtime(17, *FULL), make_runtime(25, *FULL)])
    assert (choice.release, choice.runtime.major) == (NEWEST, 25)
    assert "the newest version" in choice.reason


def test_an_old_java_gets_an_older_version_and_the_reason(make_runtime: Make) -> None:
    choice = choose(None, [make_runtime(17, *FULL, home="/opt/java17")])
    assert choice.release.version == "8.19.0"
    assert "9.5.3 cannot: Java 17 at /opt/java17 is older than 21" in choice.reason


def test_a_runtime_that_lacks_a_module_of_the_node_gets_an_older_version(
    make_runtime: Make,
) -> None:
    modules = set(FULL) - {"java.desktop"}
    choice = choose(None, [make_runtime(25, *modules)])
    assert choice.release.version == "9.2.0"
    assert "lacks the modules java.desktop" in choice.reason


def test_a_runtime_that_lacks_only_what_entitlements_need_runs_from_the_class_path(
    make_runtime: Make,
) -> None:
    choice = choose(None, [make_runtime(25, *NEWEST.java_modules)])
    assert choice.release == NEWEST
    assert not choice.on_module_path
    assert "from the class path" in choice.reason


def test_a_full_runtime_runs_from_the_module_path(make_runtime: Make) -> None:
    assert choose("9.5.3", [make_runtime(25, *FULL)]).on_module_path


def test_the_first_runtime_that_fits_is_taken(make_runtime: Make) -> None:
    runtimes = [make_runtime(17, *FULL), make_runtime(21, *FULL), make_runtime(25, *FULL)]
    assert choose("9.2.0", runtimes).runtime.major == 21


def test_a_version_asked_for_is_never_replaced(make_runtime: Make) -> None:
    with pytest.raises(EnvironmentProblem, match=r"takes Java 21 or newer, and Java 17 .* older"):
        choose("9.5.3", [make_runtime(17, *FULL)])


def test_no_java_at_all_names_what_to_install() -> None:
    with pytest.raises(EnvironmentProblem, match=r"no Java was found; install .*openjdk-17"):
        choose(None, [])


def test_an_untested_version_is_refused(make_runtime: Make) -> None:
    with pytest.raises(UsageError, match=r"9\.4\.2"):
        choose("9.4.2", [make_runtime(25, *FULL)])
