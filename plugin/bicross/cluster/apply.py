"""bicross.toml against the cluster: a plan of changes, then the changes, in the order they need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from bicross.cluster.actual import Actual, read_actual
from bicross.cluster.compare import compare_fields, managed_part
from bicross.cluster.config import Config, IndexTable
from bicross.cluster.connection import api_reason
from bicross.cluster.pipelines import ingest_pipeline, pipeline_name
from bicross.cluster.served import Catalog
from bicross.cluster.templates import first_index_name, index_template
from bicross.errors import ClusterConflict, EnvironmentProblem


@dataclass(frozen=True)
class Change:
    """One request. `before` is None for something new, else the part of it that deploy manages.

    `body` is what is sent: for a mapping only what may be added to a living index.
    """

    resource: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any]
    body: dict[str, Any]

    @property
    def verb(self) -> str:
        return "create" if self.before is None else "update"

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.name}"


def plan(client: Elasticsearch, config: Config, catalog: Catalog) -> list[Change]:
    """Every change that the cluster needs, none where it is as desired already.

    Raises `ClusterConflict` before anything is changed where an index holds what cannot be changed
    in place.
    """
    changes: list[Change] = []
    for index, table in config.indices.items():
        model = catalog.resolve(config.model(table.model), "text_embedding")
        reranker = (
            catalog.resolve(config.model(table.reranker), "rerank") if table.reranker else None
        )
        desired = Desired(
            index,
            table,
            pipeline=ingest_pipeline(index, table, model),
            template=index_template(index, table, model, reranker),
        )
        changes.extend(index_changes(desired, read_actual(client, index)))
    return changes


@dataclass(frozen=True)
class Desired:
    index: str
    table: IndexTable
    pipeline: dict[str, Any]
    template: dict[str, Any]


def index_changes(desired: Desired, actual: Actual) -> list[Change]:
    """Pure: pipeline before template before index, since each names the one before it."""
    index = desired.index
    changes = [
        _whole("ingest pipeline", pipeline_name(index), actual.pipeline, desired.pipeline),
        _whole("index template", index, actual.template, desired.template),
    ]
    if actual.mappings is None:
        body: dict[str, Any] = {"aliases": {index: {}}}
        changes.append(Change("index", first_index_name(index), None, body, body))
    else:
        changes += [_mapping(desired, actual), _settings(desired, actual)]
        if not actual.aliased:
            changes.append(Change("alias", index, None, {"index": actual.concrete}, {}))
    return [change for change in changes if change is not None]


def apply(client: Elasticsearch, changes: Sequence[Change]) -> None:
    """Raises `EnvironmentProblem` naming what was done and what not; a rerun goes on from there."""
    for position, change in enumerate(changes):
        try:
            _PERFORM[change.resource](client, change)
        except (ApiError, TransportError) as error:
            reason = api_reason(error) if isinstance(error, ApiError) else error.message
            done = ", ".join(map(str, changes[:position])) or "nothing"
            left = ", ".join(map(str, changes[position:]))
            raise EnvironmentProblem(
                f"deploy stopped at: {change}: {reason}. Done: {done}. Not done: {left}. "
                "Remove the cause and run deploy again: it goes on from here"
            ) from None


def _whole(
    resource: str, name: str, actual: dict[str, Any] | None, desired: dict[str, Any]
) -> Change | None:
    """Compared key by key: Elasticsearch stores both as they were sent and adds dates beside."""
    before = None if actual is None else {k: actual[k] for k in desired if k in actual}
    return None if before == desired else Change(resource, name, before, desired, desired)


def _mapping(desired: Desired, actual: Actual) -> Change | None:
    wanted = desired.template["template"]["mappings"]
    found = actual.mappings or {}
    compared = compare_fields(found.get("properties", {}), wanted["properties"])
    if compared.conflicts:
        conflict = compared.conflicts[0]
        raise ClusterConflict(
            f"index {actual.concrete}: {conflict.path} is {conflict.actual!r}, bicross.toml and "
            f"its model want {conflict.desired!r}; a mapping is never changed in place: give the "
            f"index another name in bicross.toml ([indices.{desired.index}2]) or delete it"
        )
    if actual.documents:
        _refuse_other_vectors(actual, found, wanted)
    before = managed_part(found, wanted)
    ours = found.get("_meta", {}).get("bicross")
    if not compared.additions and ours == wanted["_meta"]["bicross"]:
        return None
    if ours:
        before["_meta"]["bicross"] = ours
    body = {"_meta": {**found.get("_meta", {}), **wanted["_meta"]}}
    if compared.additions:
        body["properties"] = compared.additions
    return Change("mapping", actual.concrete, before, wanted, body)


def _refuse_other_vectors(actual: Actual, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The vectors of two bundles, engines or precisions do not mix in one field."""
    recorded = found.get("_meta", {}).get("bicross", {}).get("fields", {})
    for field, provenance in wanted["_meta"]["bicross"]["fields"].items():
        before = recorded.get(field, {})
        for key in ("digest", "engine", "precision", "input_field"):
            if key in before and before[key] != provenance.get(key):
                raise ClusterConflict(
                    f"index {actual.concrete} holds {actual.documents} documents whose {field} was "
                    f"written with {key} {before[key]!r}; now it would be {provenance.get(key)!r}, "
                    "and vectors of the two do not mix: serve the former model again, or index "
                    "into another name"
                )


def _settings(desired: Desired, actual: Actual) -> Change | None:
    wanted = desired.template["template"]["settings"]["index"]
    before = managed_part(actual.settings or {}, wanted)
    if before == wanted:
        return None
    if before.get("number_of_shards") != wanted["number_of_shards"]:
        raise ClusterConflict(
            f"index {actual.concrete} has {before.get('number_of_shards')} shards, bicross.toml "
            f"wants {wanted['number_of_shards']}; the number of shards is fixed when an index is "
            "made: give the index another name in bicross.toml"
        )
    body = {key: value for key, value in wanted.items() if before.get(key) != value}
    return Change("settings", actual.concrete, before, wanted, body)


def _put_pipeline(client: Elasticsearch, change: Change) -> None:
    client.ingest.put_pipeline(id=change.name, body=change.body)


def _put_template(client: Elasticsearch, change: Change) -> None:
    client.indices.put_index_template(name=change.name, body=change.body)


def _create_index(client: Elasticsearch, change: Change) -> None:
    client.indices.create(index=change.name, body=change.body, wait_for_active_shards="1")


def _put_mapping(client: Elasticsearch, change: Change) -> None:
    client.indices.put_mapping(index=change.name, body=change.body)


def _put_settings(client: Elasticsearch, change: Change) -> None:
    client.indices.put_settings(index=change.name, settings=change.body)


def _put_alias(client: Elasticsearch, change: Change) -> None:
    client.indices.put_alias(index=change.after["index"], name=change.name)


_PERFORM: dict[str, Callable[[Elasticsearch, Change], None]] = {
    "ingest pipeline": _put_pipeline,
    "index template": _put_template,
    "index": _create_index,
    "mapping": _put_mapping,
    "settings": _put_settings,
    "alias": _put_alias,
}
