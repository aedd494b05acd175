"""The ingest pipeline that embeds an index's documents, as the dict that one would PUT by hand."""

from typing import Any

from bicross import __version__
from bicross.cluster.config import IndexTable
from bicross.cluster.served import ServedModel


def pipeline_name(index: str) -> str:
    return f"{index}-embed"


def ingest_pipeline(index: str, table: IndexTable, model: ServedModel) -> dict[str, Any]:
    """The body of `PUT _ingest/pipeline/{index}-embed`.

    A document without the field is indexed without a vector, so a partial update or a document
    with an empty field is not refused.
    """
    return {
        "description": f"Embeds {_fields(table)} for {index}; written by bicross deploy",
        "processors": [
            {
                "bicross_embed": {
                    "model_id": model.pinned,
                    "input_output": [pair.model_dump() for pair in table.input_output],
                    "ignore_missing": True,
                }
            }
        ],
        "_meta": {"bicross": {**model.provenance(), "version": __version__}},
    }


def _fields(table: IndexTable) -> str:
    return ", ".join(pair.input_field for pair in table.input_output)
