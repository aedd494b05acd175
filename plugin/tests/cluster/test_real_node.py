"""What only a real node can show: that it takes and gives back what is written here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bicross.cluster.actual import documents_without_vector
from bicross.cluster.apply import apply, plan
from bicross.cluster.bulk import RetryPolicy
from bicross.cluster.config import ClusterTable, Config, parse_config
from bicross.cluster.connection import Cluster, connect
from bicross.cluster.indexing import IndexJob, index_file
from bicross.cluster.searching import SearchChoice, search_target
from bicross.cluster.served import Catalog, parse_catalog, read_catalog
from bicross.errors import ClusterConflict, EnvironmentProblem

pytestmark = pytest.mark.elasticsearch

EXAMPLE = Path(__file__).parents[2] / "protocol" / "examples" / "models.response.json"
MODELS: list[dict[str, Any]] = json.loads(EXAMPLE.read_text())["data"]
TOML = """
[indices.docs]
model = "minilm"
reranker = "ms-marco"
replicas = 0
properties.title = {type = "text", analyzer = "english", fields = {raw = {type = "keyword"}}}
properties.author = {type = "object", properties = {name = {type = "keyword"}}}
settings = {refresh_interval = "2s", max_result_window = 20000}
"""


def catalog(**changes: Any) -> Catalog:
    """What a server of the example's two models would be known by; the first may be changed."""
    models = [{**MODELS[0], **changes}, MODELS[1]]
    urls = [{"url": "http://127.0.0.1:8380", "answers": True, "serves": models}]
    endpoints = [{"name": "local", "models": [], "urls": urls}]
    return parse_catalog({"nodes": {"id": {"name": "node-1", "endpoints": endpoints}}})


@pytest.fixture
def real(node: Any) -> Iterator[Cluster]:
    with connect(ClusterTable(url=node.url)) as cluster:
        for index in ("docs-v1", "plain"):
            cluster.client.indices.delete(index=index, ignore_unavailable=True)
        yield cluster


def deployed(cluster: Cluster, config: Config) -> Config:
    apply(cluster.client, plan(cluster.client, config, catalog()))
    return config


def corpus(folder: Path, *documents: dict[str, Any]) -> Path:
    path = folder / "docs.jsonl"
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def test_one_client_speaks_to_each_version(real: Cluster, node: Any) -> None:
    assert real.version == node.version
    assert real.client.cluster.health()["status"] in {"green", "yellow"}


def test_a_second_deploy_finds_nothing_to_change(real: Cluster) -> None:
    config = deployed(real, parse_config(TOML))
    assert plan(real.client, config, catalog()) == []
    target = search_target(real.client, "docs", SearchChoice())
    assert (target.text_field, target.model_id) == ("text", "minilm@1f3a9c4b2d10")


def test_an_addition_is_made_in_place_and_a_rerun_converges(real: Cluster) -> None:
    deployed(real, parse_config(TOML))
    wider = parse_config(TOML + 'properties.year = {type = "integer"}\n')
    apply(real.client, plan(real.client, wider, catalog()))
    assert plan(real.client, wider, catalog()) == []
    mapping = real.client.indices.get_mapping(index="docs-v1")["docs-v1"]["mappings"]
    assert mapping["properties"]["year"] == {"type": "integer"}


def test_a_half_made_deploy_is_finished_by_the_next(real: Cluster) -> None:
    config = parse_config(TOML)
    apply(real.client, plan(real.client, config, catalog())[:2])
    apply(real.client, plan(real.client, config, catalog()))
    assert plan(real.client, config, catalog()) == []


def test_other_dimensions_are_refused_naming_both_and_change_nothing(real: Cluster) -> None:
    config = deployed(real, parse_config(TOML))
    with pytest.raises(ClusterConflict, match=r"384.*768") as refused:
        plan(real.client, config, catalog(dimensions=768))
    assert refused.value.exit_status == 2
    assert plan(real.client, config, catalog()) == []


def test_the_nodes_action_lists_the_endpoint_that_does_not_answer(real: Cluster) -> None:
    found = read_catalog(real.client)
    assert found.sightings == ()
    assert len(found.silent) == 1
    with pytest.raises(EnvironmentProblem, match="without an answer"):
        plan(real.client, parse_config(TOML), found)


def test_without_a_server_texts_become_429_letters_and_the_rest_is_indexed(
    real: Cluster, tmp_path: Path
) -> None:
    deployed(real, parse_config(TOML))
    path = corpus(tmp_path, {"_id": "a", "text": "a cat on a mat"}, {"_id": "b", "title": "t"})
    job = IndexJob(path=path, index="docs", policy=RetryPolicy(attempts=1, first_s=0.1))
    report = index_file(real, job)
    assert (report.created, report.failed, report.retried) == (1, 1, 1)
    text = (report.dead_letters or path).read_text()
    [letter] = [json.loads(line) for line in text.splitlines()]
    assert (letter["id"], letter["status"]) == ("a", 429)
    assert documents_without_vector(real.client, "docs") == 1


def test_an_index_without_a_pipeline_takes_a_file_and_goes_on_with_it(
    real: Cluster, tmp_path: Path
) -> None:
    real.client.indices.create(index="plain")
    documents = [{"_id": f"d{n}", "text": f"text {n}"} for n in range(25)]
    job = IndexJob(path=corpus(tmp_path, *documents), index="plain", chunk_documents=4)
    first, second = index_file(real, job), index_file(real, job)
    assert (first.created, second.resumed, second.accepted) == (25, 25, 0)
    assert real.client.count(index="plain")["count"] == 25
    assert documents_without_vector(real.client, "plain") is None
