"""What the cluster holds under one index's name."""

from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from bicross.cluster.pipelines import pipeline_name
from bicross.cluster.templates import first_index_name
from bicross.errors import ClusterConflict


@dataclass(frozen=True)
class Actual:
    """As returned by the cluster; None for what is not there.

    `concrete` is the index behind the alias, or the one that deploy would make; `settings` are
    those below `index`; `documents` is its count.
    """

    concrete: str
    pipeline: dict[str, Any] | None = None
    template: dict[str, Any] | None = None
    mappings: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None
    aliased: bool = False
    documents: int = 0


def read_actual(client: Elasticsearch, index: str) -> Actual:
    """Raises `ClusterConflict` where the name is an index's, or an alias of several."""
    behind = indices_behind(client, index)
    concrete = behind[0] if behind else first_index_name(index)
    found = _index(client, concrete)
    return Actual(
        concrete=concrete,
        pipeline=_pipeline(client, pipeline_name(index)),
        template=_template(client, index),
        mappings=found["mappings"] if found else None,
        settings=found["settings"]["index"] if found else None,
        aliased=bool(behind),
        documents=int(client.count(index=concrete)["count"]) if found else 0,
    )


def indices_behind(client: Elasticsearch, alias: str) -> list[str]:
    """The one index behind `alias`, or none."""
    try:
        names = sorted(client.indices.get_alias(name=alias).body)
    except NotFoundError:
        if client.indices.exists(index=alias):
            raise ClusterConflict(
                f"{alias} is an index, and deploy needs that name for an alias; give the index "
                "another name in bicross.toml"
            ) from None
        return []
    if len(names) > 1:
        raise ClusterConflict(
            f"the alias {alias} stands for {', '.join(names)}; deploy manages one index behind an "
            "alias: take the others out of it"
        )
    return names


def documents_without_vector(client: Elasticsearch, index: str) -> int | None:
    """How many documents lack a vector that the index's `_meta` names; None where it names none."""
    mapping = next(iter(client.indices.get_mapping(index=index).body.values()))["mappings"]
    fields = mapping.get("_meta", {}).get("bicross", {}).get("fields", {})
    if not fields:
        return None
    every = [{"exists": {"field": field}} for field in fields]
    query = {"bool": {"must_not": {"bool": {"filter": every}}}}
    return int(client.count(index=index, query=query)["count"])


def _pipeline(client: Elasticsearch, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.ingest.get_pipeline(id=name)[name]
    except NotFoundError:
        return None
    return found


def _template(client: Elasticsearch, name: str) -> dict[str, Any] | None:
    try:
        answer = client.indices.get_index_template(name=name)
    except NotFoundError:
        return None
    found: dict[str, Any] = answer["index_templates"][0]["index_template"]
    return found


def _index(client: Elasticsearch, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.indices.get(index=name)[name]
    except NotFoundError:
        return None
    return found
