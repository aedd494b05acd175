"""Starting and stopping: what a node keeps, and what keeps it from starting."""

from pathlib import Path
from typing import Any

import pytest
from animals import animal_documents, index_body
from rest import Rest
from server_process import KEY
from test_ingest import EMBED
from test_rerank import rerank
from test_search import knn
from wire import Wire

from bicross.errors import EnvironmentProblem
from bicross.local.node import LocalNode
from bicross.local.places import plugin_zip
from bicross.local.ports import free_port
from bicross.local.spec import NodeSpec

RERANK = {"retriever": rerank(), "size": 5}


def own_spec(version: str, home: Path, wire: Wire, **more: Any) -> NodeSpec:  # noqa: ANN401
    keystore = {"bicross.endpoint.local.api_key": KEY}
    given = {"endpoints": (wire.url,), "keystore": keystore, **more}
    return NodeSpec(version=version, home=home, port=free_port(), **given)


def fill(rest: Rest) -> None:
    rest.ok("PUT", "/_ingest/pipeline/embed", {"processors": [{"bicross_embed": EMBED}]})
    rest.ok("PUT", "/animals", index_body("embed"))
    outcomes = rest.bulk("animals", animal_documents(50))
    assert {outcome["status"] for outcome in outcomes} == {201}


def test_a_restarted_node_has_its_documents_pipelines_and_searches(
    es_version: str, wire: Wire, tmp_path: Path
) -> None:
    spec = own_spec(es_version, tmp_path / "home", wire)
    with LocalNode(spec) as node, Rest(node.url) as rest:
        fill(rest)
        reranked = rest.hits("animals", RERANK)
        nearest = rest.hits("animals", {"knn": knn()})
    with LocalNode(spec) as node, Rest(node.url) as rest:
        assert rest.hits("animals", RERANK) == reranked
        assert rest.hits("animals", {"knn": knn()}) == nearest
        (outcome,) = rest.bulk("animals", animal_documents(1))
        assert outcome["status"] == 200


def test_a_node_keeps_its_pipelines_when_it_starts_without_a_server(
    es_version: str, wire: Wire, tmp_path: Path
) -> None:
    spec = own_spec(es_version, tmp_path / "home", wire)
    with LocalNode(spec) as node, Rest(node.url) as rest:
        fill(rest)
    nowhere = f"http://127.0.0.1:{free_port()}"
    lonely = own_spec(es_version, tmp_path / "home", wire, endpoints=(nowhere,))
    with LocalNode(lonely) as node, Rest(node.url) as rest:
        pipeline = rest.ok("GET", "/_ingest/pipeline/embed")["embed"]
        assert pipeline["processors"][0]["bicross_embed"]["model_id"] == "tiny-bi"
        (outcome,) = rest.bulk("animals", animal_documents(1))
        assert outcome["status"] == 429


REFUSED = {
    "another scheme": ({"bicross.endpoint.local.urls": ["ftp://127.0.0.1"]}, "urls"),
    "a password in the URL": ({"bicross.endpoint.local.urls": ["http://a:b@127.0.0.1"]}, "urls"),
    "plain http to another host": (
        {"bicross.endpoint.local.urls": ["http://192.0.2.1:8380"]},
        "allow_insecure",
    ),
    "a key outside the keystore": ({"bicross.endpoint.local.api_key": "secret"}, "api_key"),
}


@pytest.mark.parametrize(("settings", "told"), REFUSED.values(), ids=REFUSED)
def test_a_node_with_a_wrong_setting_does_not_start_and_names_it(
    es_version: str, wire: Wire, tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    spec = own_spec(es_version, tmp_path / "home", wire, settings=settings, keystore={})
    with pytest.raises(EnvironmentProblem) as refusal:
        LocalNode(spec).start()
    assert told in str(refusal.value)


def test_a_node_with_two_copies_of_the_plugin_does_not_start(
    es_version: str, wire: Wire, tmp_path: Path
) -> None:
    twice = (plugin_zip(es_version), plugin_zip(es_version))
    spec = own_spec(es_version, tmp_path / "home", wire, plugins=twice, keystore={})
    with pytest.raises(EnvironmentProblem, match="bicross"):
        LocalNode(spec).start()


def test_an_endpoint_cannot_be_changed_while_the_node_runs(rest: Rest) -> None:
    change = {"persistent": {"bicross.endpoint.local.urls": ["http://127.0.0.1:1"]}}
    status, error = rest.error("PUT", "/_cluster/settings", change)
    assert status == 400
    assert "bicross.endpoint.local.urls" in error
