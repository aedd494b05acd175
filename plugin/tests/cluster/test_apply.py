"""The plan: complete for an empty cluster, empty for a deployed one, refused before any change."""

from dataclasses import replace
from typing import Any

import pytest

from bicross.cluster.actual import Actual
from bicross.cluster.apply import Change, Desired, apply, index_changes
from bicross.cluster.config import IndexTable
from bicross.cluster.connection import Cluster
from bicross.cluster.pipelines import ingest_pipeline
from bicross.cluster.served import ServedModel
from bicross.cluster.templates import index_template
from bicross.errors import ClusterConflict, EnvironmentProblem

MINILM = ServedModel("minilm", "text_embedding", "ab" * 32, "onnxruntime", "fp32", 384, "cosine")
CROSS = ServedModel("ms-marco", "rerank", "cd" * 32, "onnxruntime", "fp32")
TABLE = IndexTable(model="minilm", reranker="ms-marco")


def desired(
    model: ServedModel = MINILM, table: IndexTable = TABLE, reranker: ServedModel | None = CROSS
) -> Desired:
    return Desired(
        "docs",
        table,
        pipeline=ingest_pipeline("docs", table, model),
        template=index_template("docs", table, model, reranker),
    )


def deployed(documents: int = 0, **changes: Any) -> Actual:
    """The cluster after a deploy of `desired()`, with what Elasticsearch adds."""
    wanted = desired()
    inner = wanted.template["template"]
    mappings = {**inner["mappings"], "dynamic": "true"}
    return Actual(
        concrete="docs-v1",
        pipeline={**wanted.pipeline, "created_date_millis": 1},
        template={**wanted.template, "composed_of": []},
        mappings=changes.pop("mappings", mappings),
        settings={**inner["settings"]["index"], "uuid": "u"},
        aliased=changes.pop("aliased", True),
        documents=documents,
        **changes,
    )


def told(changes: list[Change]) -> list[str]:
    return [str(change) for change in changes]


def test_an_empty_cluster_needs_pipeline_template_and_index_in_that_order() -> None:
    changes = index_changes(desired(), Actual("docs-v1"))
    assert told(changes) == [
        "create ingest pipeline docs-embed",
        "create index template docs",
        "create index docs-v1",
    ]
    assert changes[2].body == {"aliases": {"docs": {}}}


def test_a_deployed_cluster_needs_nothing() -> None:
    assert index_changes(desired(), deployed(documents=7)) == []


def test_an_object_that_is_returned_without_its_type_is_no_change() -> None:
    person = {"type": "object", "properties": {"name": {"type": "keyword"}}}
    table = IndexTable(model="minilm", reranker="ms-marco", properties={"author": person})
    wanted = desired(table=table)
    mappings = wanted.template["template"]["mappings"]
    returned = {**mappings["properties"], "author": {"properties": person["properties"]}}
    found = deployed(mappings={**mappings, "properties": returned})
    assert index_changes(wanted, replace(found, template=wanted.template)) == []


def test_a_lost_alias_is_set_again() -> None:
    assert told(index_changes(desired(), deployed(aliased=False))) == ["create alias docs"]


def test_a_new_property_is_added_in_place_and_alone() -> None:
    table = IndexTable(model="minilm", reranker="ms-marco", properties={"year": {"type": "long"}})
    changes = index_changes(desired(table=table), deployed(documents=7))
    assert told(changes) == ["update index template docs", "update mapping docs-v1"]
    assert changes[1].body["properties"] == {"year": {"type": "long"}}


def test_a_dynamic_setting_is_changed_in_place_and_alone() -> None:
    changes = index_changes(
        desired(table=IndexTable(model="minilm", reranker="ms-marco", replicas=2)), deployed()
    )
    assert told(changes) == ["update index template docs", "update settings docs-v1"]
    assert changes[1].body == {"number_of_replicas": "2"}


def test_a_reranker_taken_out_or_exchanged_changes_what_the_mapping_remembers() -> None:
    without = index_changes(
        desired(table=IndexTable(model="minilm"), reranker=None), deployed(documents=7)
    )
    assert told(without) == ["update index template docs", "update mapping docs-v1"]
    assert "reranker" not in without[1].body["_meta"]["bicross"]


def test_what_others_keep_in_meta_stays() -> None:
    mappings = deployed().mappings or {}
    kept = {**mappings, "_meta": {"team": "search", "bicross": {}}}
    [change] = index_changes(desired(), deployed(mappings=kept))
    assert change.body["_meta"]["team"] == "search"


def test_other_dimensions_are_a_conflict_naming_both() -> None:
    with pytest.raises(ClusterConflict, match=r"text_vector\.dims is 384.*want 768"):
        index_changes(desired(replace(MINILM, dimensions=768)), deployed())


def test_other_shards_are_a_conflict_naming_both() -> None:
    table = IndexTable(model="minilm", reranker="ms-marco", shards=4)
    with pytest.raises(ClusterConflict, match=r"has 1 shards, bicross\.toml wants 4"):
        index_changes(desired(table=table), deployed())


@pytest.mark.parametrize(
    ("key", "value"), [("digest", "ef" * 32), ("engine", "openvino"), ("precision", "int8")]
)
def test_vectors_of_another_provenance_are_a_conflict_once_there_are_any(
    key: str, value: str
) -> None:
    changes: dict[str, Any] = {key: value}
    other = replace(MINILM, **changes)
    with pytest.raises(ClusterConflict, match=rf"7 documents.*{key}.*{value}"):
        index_changes(desired(other), deployed(documents=7))
    assert "update mapping docs-v1" in told(index_changes(desired(other), deployed(documents=0)))


def test_a_failed_change_names_what_was_done_and_what_was_not(
    script: Any, cluster: Cluster
) -> None:
    script.routes["/_ingest/pipeline/docs-embed"] = (200, {})
    reason = {"root_cause": [{"type": "illegal_argument_exception", "reason": "no such model"}]}
    script.routes["/_index_template/docs"] = (400, {"error": reason})
    changes = index_changes(desired(), Actual("docs-v1"))
    with pytest.raises(EnvironmentProblem) as stopped:
        apply(cluster.client, changes)
    message = str(stopped.value)
    assert "stopped at: create index template docs: 400 illegal_argument" in message
    assert "Done: create ingest pipeline docs-embed." in message
    assert "Not done: create index template docs, create index docs-v1." in message
