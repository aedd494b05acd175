import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bicross.local.choice import Choice, choose
from bicross.local.configuration import as_yaml, jvm_arguments, launcher_command, node_settings
from bicross.local.java import JavaRuntime
from bicross.local.releases import read_release
from bicross.local.spec import NodeSpec, SettingValue

SPEC = NodeSpec(version="9.5.3", home=Path("/var/node"), endpoints=("http://127.0.0.1:8380",))

ChoiceOf = Callable[..., Choice]


@pytest.fixture
def choice_of(make_runtime: Callable[..., JavaRuntime]) -> ChoiceOf:
    def build(version: str, *, without: str = "") -> Choice:
        release = read_release(version)
        modules = {*release.java_modules, *release.entitlement_modules, "jdk.incubator.vector"}
        return choose(version, [make_runtime(25, *modules - {without})])

    return build


def test_the_node_is_bound_to_loopback_alone() -> None:
    assert node_settings(SPEC, with_plugin=True)["network.host"] == "127.0.0.1"


def test_endpoints_are_set_only_where_the_plugin_knows_the_setting() -> None:
    name = "bicross.endpoint.local.urls"
    assert node_settings(SPEC, with_plugin=True)[name] == ["http://127.0.0.1:8380"]
    assert name not in node_settings(SPEC, with_plugin=False)


def test_settings_of_the_spec_win() -> None:
    spec = NodeSpec(version="9.5.3", home=SPEC.home, settings={"cluster.name": "mine"})
    assert node_settings(spec, with_plugin=False)["cluster.name"] == "mine"


def test_yaml_values_are_json_so_that_nothing_in_them_is_syntax() -> None:
    settings: dict[str, SettingValue] = {"a": "x: [1] # y", "b": ["p", "q"], "c": False, "d": 9200}
    lines = [line.partition(": ") for line in as_yaml(settings).splitlines()]
    assert {name: json.loads(value) for name, _, value in lines} == settings


@pytest.mark.parametrize("version", ["8.19.0", "9.2.0", "9.5.3"])
def test_the_unpublished_vector_library_is_never_looked_for(
    version: str, choice_of: ChoiceOf
) -> None:
    arguments = jvm_arguments(SPEC, choice_of(version))
    assert "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false" in arguments


@pytest.mark.parametrize(
    ("version", "named"), [("8.19.0", False), ("9.2.0", False), ("9.5.3", True)]
)
def test_native_access_goes_to_the_module_that_the_release_has(
    version: str, named: bool, choice_of: ChoiceOf
) -> None:
    (native,) = (one for one in jvm_arguments(SPEC, choice_of(version)) if "native-access" in one)
    assert ("org.elasticsearch.foreign" in native) == named


def test_modules_that_the_runtime_lacks_are_not_asked_for(choice_of: ChoiceOf) -> None:
    arguments = jvm_arguments(SPEC, choice_of("9.5.3", without="jdk.incubator.vector"))
    assert not any("jdk.incubator.vector" in one for one in arguments)


def test_a_trimmed_runtime_gets_the_class_path_and_no_module_path(choice_of: ChoiceOf) -> None:
    command = launcher_command(SPEC, choice_of("9.5.3", without="jdk.jdi"))
    assert "--module-path" not in command
    assert "/var/node/launcher.jar:/var/node/lib/*" in command
