"""What the endpoints serve: found, pinned, and refused where they disagree."""

import json
from pathlib import Path
from typing import Any

import pytest

from bicross.cluster.config import ModelTable
from bicross.cluster.connection import Cluster
from bicross.cluster.served import Catalog, parse_catalog, read_catalog
from bicross.errors import ClusterConflict, EnvironmentProblem

EXAMPLE = Path(__file__).parents[2] / "protocol" / "examples" / "models.response.json"
MODELS: list[dict[str, Any]] = json.loads(EXAMPLE.read_text())["data"]


def node(*models: dict[str, Any], endpoint: str = "local", **url: Any) -> dict[str, Any]:
    """One row of GET /_bicross, its one endpoint serving `models` at its one address."""
    address = {"url": f"http://{endpoint}:8380", "answers": True, "serves": list(models), **url}
    return {"name": "node-1", "endpoints": [{"name": endpoint, "models": [], "urls": [address]}]}


def catalog(*nodes: dict[str, Any]) -> Catalog:
    return parse_catalog({"nodes": {f"id-{n}": each for n, each in enumerate(nodes)}})


def test_a_model_is_pinned_by_twelve_digits_and_brings_its_dimensions() -> None:
    model = catalog(node(*MODELS)).resolve(ModelTable(model_id="minilm"), "text_embedding")
    assert model.pinned == "minilm@1f3a9c4b2d10"
    assert (model.dimensions, model.similarity) == (384, "cosine")
    assert model.provenance() == {
        "model_id": "minilm@1f3a9c4b2d10",
        "digest": MODELS[0]["digest"],
        "engine": "onnxruntime",
        "precision": "fp32",
    }


def test_nodes_that_agree_are_one_model() -> None:
    found = catalog(node(*MODELS), node(*MODELS, endpoint="second"))
    assert found.resolve(ModelTable(model_id="ms-marco"), "rerank").name == "ms-marco"


@pytest.mark.parametrize("key", ["digest", "engine", "precision", "dimensions"])
def test_endpoints_that_disagree_are_a_conflict_naming_both(key: str) -> None:
    other = {**MODELS[0], key: 385 if key == "dimensions" else "ab" * 32}
    found = catalog(node(MODELS[0], endpoint="east"), node(other, endpoint="west"))
    with pytest.raises(ClusterConflict, match=r"node-1/east.*node-1/west"):
        found.resolve(ModelTable(model_id="minilm"), "text_embedding")


def test_a_pin_that_another_bundle_is_served_under_is_a_conflict() -> None:
    with pytest.raises(ClusterConflict, match=r"minilm@abcdef.*minilm@1f3a9c4b2d10"):
        catalog(node(*MODELS)).resolve(ModelTable(model_id="minilm@abcdef"), "text_embedding")


def test_a_pin_that_fits_resolves() -> None:
    table = ModelTable(model_id="minilm@1f3a9c")
    assert catalog(node(*MODELS)).resolve(table, "text_embedding").dimensions == 384


def test_an_unserved_model_names_the_served_ones_and_the_silent_endpoints() -> None:
    silent = node(endpoint="gpu", answers=False, error="connection refused")
    with pytest.raises(
        EnvironmentProblem, match=r"minilm, ms-marco.*node-1/gpu at http://gpu:8380: connection ref"
    ):
        catalog(node(*MODELS), silent).resolve(ModelTable(model_id="e5"), "text_embedding")


@pytest.mark.parametrize(
    ("model_id", "task"), [("minilm", "rerank"), ("ms-marco", "text_embedding")]
)
def test_a_model_of_another_task_is_a_conflict(model_id: str, task: str) -> None:
    with pytest.raises(ClusterConflict, match="task"):
        catalog(node(*MODELS)).resolve(ModelTable(model_id=model_id), task)


def test_an_endpoints_own_list_of_models_narrows_what_it_is_seen_to_serve() -> None:
    row = node(*MODELS)
    row["endpoints"][0]["models"] = ["ms-marco@0badc0"]
    assert [each.model.name for each in catalog(row).sightings] == ["ms-marco"]


def test_models_of_a_server_without_a_list_are_the_names_that_the_endpoint_has() -> None:
    row = node(answers=None)
    row["endpoints"][0]["models"] = ["bge"]
    table = ModelTable(model_id="bge", dimensions=384)
    assert catalog(row).resolve(table, "text_embedding").pinned == "bge"


def test_two_addresses_of_one_endpoint_must_agree() -> None:
    row = node(MODELS[0])
    second = {"url": "http://b", "answers": True, "serves": [{**MODELS[0], "precision": "int8"}]}
    row["endpoints"][0]["urls"].append(second)
    with pytest.raises(ClusterConflict, match=r"local:8380 has.*http://b has"):
        catalog(row).resolve(ModelTable(model_id="minilm"), "text_embedding")


def test_dimensions_come_from_the_file_where_the_server_does_not_tell() -> None:
    bare = catalog(node({"id": "tei-model"}))
    with pytest.raises(ClusterConflict, match="write `dimensions`"):
        bare.resolve(ModelTable(model_id="tei-model"), "text_embedding")
    model = bare.resolve(ModelTable(model_id="tei-model", dimensions=768), "text_embedding")
    assert (model.pinned, model.dimensions, model.similarity) == ("tei-model", 768, "cosine")


def test_dimensions_that_differ_from_the_servers_are_a_conflict() -> None:
    with pytest.raises(ClusterConflict, match=r"dimensions 768, its server 384"):
        catalog(node(*MODELS)).resolve(
            ModelTable(model_id="minilm", dimensions=768), "text_embedding"
        )


def test_a_cluster_without_the_plugin_says_what_to_install(cluster: Cluster) -> None:
    with pytest.raises(EnvironmentProblem, match="plugin is not installed"):
        read_catalog(cluster.client)


def test_the_catalog_is_read_from_the_nodes_action(script: Any, cluster: Cluster) -> None:
    script.routes["/_bicross"] = (200, {"nodes": {"id": node(*MODELS)}})
    assert len(read_catalog(cluster.client).sightings) == 2
