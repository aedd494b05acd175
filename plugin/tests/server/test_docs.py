"""docs/server.md names every setting with its default, every metric and every error."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from bicross.bundle import Bundle
from bicross.errors import RequestError
from bicross.runtime.quantized_vectors import OutputDtype
from bicross.server.models.catalog import Catalog
from bicross.server.settings import Settings
from bicross.server.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "server.md").read_text()
ROWS = [line for line in DOCS.splitlines() if line.startswith("|")]
ERRORS = json.loads((ROOT / "plugin" / "protocol" / "errors.json").read_text())


def row(text: str) -> list[str]:
    (found,) = (line for line in ROWS if text in line)
    return [cell.strip() for cell in found.strip("|").split("|")]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_with_its_default(name: str) -> None:
    cells = row(f"`BICROSS_{name.upper()}`")
    default = Settings.model_fields[name].default
    if isinstance(default, int) and not isinstance(default, bool):
        assert cells[1] == str(default)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_with_its_ceiling(name: str) -> None:
    bounds = Settings.model_json_schema()["properties"][name]
    ceiling = bounds.get("maximum") or bounds.get("anyOf", [{}])[0].get("maximum")
    cells = row(f"`BICROSS_{name.upper()}`")
    assert cells[2] == (str(ceiling) if ceiling else "")


def test_every_metric_is_documented_with_its_labels() -> None:
    documented = {}
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in ROWS):
        if found := re.fullmatch(r"`(bicross_\w+)`", cells[0]):
            documented[found[1].removesuffix("_total")] = set(cells[1].split(", "))
    collectors = [c for c in Metrics().registry._collector_to_names if hasattr(c, "_name")]
    defined = {c._name: set(c._labelnames) for c in collectors}  # type: ignore[attr-defined]
    assert documented == defined


EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
EMBEDDINGS = [body for body in EXAMPLES if {"dimensions", "output_dtype"} & body.keys()]


@pytest.mark.parametrize("body", EMBEDDINGS)
async def test_example_of_a_vector_s_size_and_type_is_answered(
    body: dict[str, Any], cut_bundle: Bundle, served: Any
) -> None:
    """The model's name and its dimensions are the reader's own."""
    body |= {"model": "tiny-cut", "dimensions": 8}
    async with served(Catalog([cut_bundle])) as (client, _):
        response = await client.post("/v1/embeddings", json=body)
    assert response.status_code == 200, response.text
    assert [len(record["embedding"]) for record in response.json()["data"]] == [8, 8]


@pytest.mark.parametrize("encoding_format", ["tokens", "indices"])
async def test_example_of_token_weights_is_answered(
    encoding_format: str, sparse_bundle: Bundle, served: Any
) -> None:
    (body,) = (body for body in EXAMPLES if "encoding_format" in body)
    body |= {"model": "tiny-sparse", "encoding_format": encoding_format}
    async with served(Catalog([sparse_bundle])) as (client, _):
        response = await client.post("/v1/sparse-embeddings", json=body)
    assert response.status_code == 200, response.text
    assert len(response.json()["data"]) == len(body["input"])


async def test_example_of_token_vectors_is_answered(late_bundle: Bundle, served: Any) -> None:
    (body,) = (body for body in EXAMPLES if "embedding_type" in body)
    async with served(Catalog([late_bundle])) as (client, _):
        response = await client.post("/v1/multi-vector", json=body | {"model": "tiny-late"})
    assert response.status_code == 200, response.text
    assert len(response.json()["data"]) == len(body["input"])


def test_every_type_of_vector_is_documented() -> None:
    first = [line.split("|")[1].strip() for line in ROWS]
    for name in get_args(OutputDtype):
        assert first.count(f"`{name}`") == 1


def test_every_error_of_the_server_is_documented() -> None:
    sent = {cls.code for cls in RequestError.__subclasses__()}
    listed = {entry["code"] for entry in ERRORS if "http" in entry["status"]}
    assert sent == listed
    for entry in ERRORS:
        if "http" in entry["status"]:
            cells = row(f"| `{entry['code']}` |")
            assert cells == [
                str(entry["status"]["http"]),
                f"`{entry['code']}`",
                entry["meaning"],
                entry["remedy"],
            ]
