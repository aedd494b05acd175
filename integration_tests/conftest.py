"""One real node of the version under test and one real server, for the whole run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from animals import animal_documents, index_body
from real_models import RealCluster, RealModel, real_models
from rest import Rest
from server_process import KEY, ROOT, ServerProcess
from wire import Wire

from bicross.local.node import LocalNode
from bicross.local.ports import free_port
from bicross.local.spec import NodeSpec

# Where another cluster is tested, such as docker/compose.yaml's, with a server that it reaches.
OTHER_CLUSTER = os.environ.get("BICROSS_TEST_CLUSTER")
OTHER_SERVER_PORT = int(os.environ.get("BICROSS_TEST_SERVER_PORT", "8380"))
TINY = ROOT / "plugin" / "tests" / "bundles"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--es", default="9.5.3", help="Elasticsearch version of the node under test.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.elasticsearch)


@pytest.fixture(scope="session")
def es_version(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--es"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The collections and weights that are not part of the project."""
    folder = Path(os.environ.get("BICROSS_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"{folder} with data and models is absent; BICROSS_SHARED names another")
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serves tiny-bi (16 dimensions) and tiny-cross, behind an API key."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    if OTHER_CLUSTER:
        yield ServerProcess([], OTHER_SERVER_PORT, log, key=KEY)
        return
    process = ServerProcess([TINY / "tiny-bi", TINY / "tiny-cross"], free_port(), log, key=KEY)
    yield process.start()
    process.stop()


@pytest.fixture(scope="session")
def wire(server: ServerProcess) -> Iterator[Wire]:
    if OTHER_CLUSTER:
        pytest.skip("needs a node and a server of its own")
    relay = Wire(server.port)
    yield relay
    relay.close()


@pytest.fixture(scope="session")
def node(
    es_version: str, wire: Wire, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalNode]:
    spec = NodeSpec(
        version=es_version,
        home=tmp_path_factory.mktemp(f"es-{es_version}"),
        port=free_port(),
        endpoints=(wire.url,),
        settings={"bicross.endpoint.local.timeout.query": "5s"},
        keystore={"bicross.endpoint.local.api_key": KEY},
    )
    with LocalNode(spec) as running:
        yield running


@pytest.fixture(scope="session")
def rest(request: pytest.FixtureRequest) -> Iterator[Rest]:
    with Rest(OTHER_CLUSTER or request.getfixturevalue("node").url) as client:
        yield client


@pytest.fixture(scope="session")
def pipeline(rest: Rest) -> str:
    """Text -> vector by tiny-bi; a document without text is an error."""
    embed = {
        "model_id": "tiny-bi",
        "input_output": [{"input_field": "text", "output_field": "vector"}],
    }
    rest.ok("PUT", "/_ingest/pipeline/embed", {"processors": [{"bicross_embed": embed}]})
    return "embed"


@pytest.fixture
def index(rest: Rest, pipeline: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty index of two shards whose default pipeline embeds `text`."""
    name = request.node.name.split("[")[0].lower()[:200]
    rest.call("DELETE", f"/{name}")
    rest.ok("PUT", f"/{name}", index_body(pipeline))
    yield name
    rest.ok("DELETE", f"/{name}")


@pytest.fixture(scope="session")
def animals(rest: Rest, pipeline: str) -> str:
    """An index of 200 passages in two shards, 40 of each subject in `tag`."""
    rest.ok("PUT", "/animals", index_body(pipeline))
    outcomes = rest.bulk("animals", animal_documents())
    assert not [outcome for outcome in outcomes if "error" in outcome]
    return "animals"


@pytest.fixture(scope="session")
def bundle_cache(pytestconfig: pytest.Config) -> Path:
    """Kept between runs: an export with its gate takes a minute or two."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("bundles")


@pytest.fixture(scope="session")
def models(bundle_cache: Path, shared: Path) -> tuple[RealModel, RealModel]:
    """A bi-encoder and a cross-encoder with real float weights."""
    return real_models(bundle_cache, shared / "models")


@pytest.fixture(scope="session")
def real(
    es_version: str,
    models: tuple[RealModel, RealModel],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RealCluster]:
    if OTHER_CLUSTER:
        pytest.skip("needs a node and a server of its own")
    bi, cross = models
    folder = tmp_path_factory.mktemp("real")
    server = ServerProcess([bi.bundle, cross.bundle], free_port(), folder / "server.log").start()
    spec = NodeSpec(
        version=es_version, home=folder / "es", port=free_port(), endpoints=(server.url,)
    )
    with LocalNode(spec) as node, Rest(node.url) as client:
        yield RealCluster(client, node, bi, cross)
    server.stop()
