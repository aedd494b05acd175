"""The index template of one [indices] table, as the dict that one would PUT by hand."""

from typing import Any

from bicross import __version__
from bicross.cluster.config import IndexTable, InputOutput
from bicross.cluster.pipelines import pipeline_name
from bicross.cluster.served import ServedModel

TEMPLATE_PRIORITY = 300


def first_index_name(index: str) -> str:
    """The index behind the alias when deploy makes the first; later ones count on."""
    return f"{index}-v1"


def index_template(
    index: str, table: IndexTable, model: ServedModel, reranker: ServedModel | None
) -> dict[str, Any]:
    """The body of `PUT _index_template/{index}`, in the form that Elasticsearch gives back."""
    return {
        "index_patterns": [f"{index}-v*"],
        "priority": TEMPLATE_PRIORITY,
        "template": {
            "settings": index_settings(index, table),
            "mappings": mappings(table, model, reranker),
        },
        "_meta": {"bicross": {"version": __version__}},
    }


def index_settings(index: str, table: IndexTable) -> dict[str, Any]:
    """Settings nested below `index`, every value a string: how Elasticsearch returns them."""
    own = {
        "number_of_shards": table.shards,
        "number_of_replicas": table.replicas,
        "default_pipeline": pipeline_name(index),
    }
    settings: dict[str, Any] = {}
    for key, value in {**_flat(table.settings), **own}.items():
        _put(settings, key.removeprefix("index.").split("."), _as_setting(value))
    return {"index": settings}


def mappings(table: IndexTable, model: ServedModel, reranker: ServedModel | None) -> dict[str, Any]:
    """Vectors by their model's dimensions, texts by the standard analyzer unless told otherwise."""
    properties: dict[str, Any] = dict(table.properties)
    for pair in table.input_output:
        if "." not in pair.input_field:
            properties.setdefault(pair.input_field, {"type": "text"})
        _put_field(properties, pair.output_field.split("."), vector_field(table, model))
    return {"_meta": {"bicross": provenance(table, model, reranker)}, "properties": properties}


def vector_field(table: IndexTable, model: ServedModel) -> dict[str, Any]:
    field: dict[str, Any] = {
        "type": "dense_vector",
        "dims": model.dimensions,
        "similarity": table.similarity or model.similarity,
    }
    if table.index_options:
        field["index_options"] = table.index_options
    return field


def provenance(
    table: IndexTable, model: ServedModel, reranker: ServedModel | None
) -> dict[str, Any]:
    """By which model each vector field is written, and which reranker the index is meant for."""
    fields = {pair.output_field: _written_by(pair, model) for pair in table.input_output}
    meant_for = {"reranker": reranker.provenance()} if reranker else {}
    return {"version": __version__, "fields": fields, **meant_for}


def _written_by(pair: InputOutput, model: ServedModel) -> dict[str, str]:
    return {"input_field": pair.input_field, **model.provenance()}


def _put_field(properties: dict[str, Any], path: list[str], field: dict[str, Any]) -> None:
    for part in path[:-1]:
        parent = properties.get(part, {})
        properties[part] = {**parent, "properties": dict(parent.get("properties", {}))}
        properties = properties[part]["properties"]
    properties[path[-1]] = field


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


def _put(settings: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        settings = settings.setdefault(part, {})
    settings[path[-1]] = value


def _as_setting(value: object) -> str | list[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [str(item) for item in value] if isinstance(value, list) else str(value)
