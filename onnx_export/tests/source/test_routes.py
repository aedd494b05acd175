import json
from pathlib import Path
from typing import Any

import pytest

from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import Module
from onnx_export.source.routes import read_routes

PREFIX = "sentence_transformers.base.modules."
ROUTER = Module("Router", f"{PREFIX}Router", "")
NORMALIZE = Module("Normalize", f"{PREFIX}Normalize", "1_Normalize")


def write_router(folder: Path, routes: dict[str, list[str]], **parameters: Any) -> None:
    """Each part is named by its route, its place and its class, as sentence-transformers does."""
    folder.mkdir(parents=True, exist_ok=True)
    structure = {
        route: [f"{route}_{place}_{kind}" for place, kind in enumerate(kinds)]
        for route, kinds in routes.items()
    }
    types = {
        part: PREFIX + part.rpartition("_")[2] for parts in structure.values() for part in parts
    }
    config = {"types": types, "structure": structure, "parameters": parameters}
    (folder / "router_config.json").write_text(json.dumps(config))


def test_model_without_router_has_one_way(tmp_path: Path) -> None:
    routes = read_routes(tmp_path, [NORMALIZE])
    assert routes["query"].modules == routes["passage"].modules == (NORMALIZE,)
    assert (routes["query"].task, routes["passage"].task) == ("query", "document")


def test_each_side_goes_its_way_and_then_the_common_one(tmp_path: Path) -> None:
    write_router(tmp_path, {"query": ["StaticEmbedding"], "document": ["Transformer", "Pooling"]})
    routes = read_routes(tmp_path, [ROUTER, NORMALIZE])
    assert routes["query"].kinds == ("StaticEmbedding", "Normalize")
    assert routes["passage"].kinds == ("Transformer", "Pooling", "Normalize")
    assert routes["passage"].modules[0].path == "document_0_Transformer"


def test_mapping_goes_before_a_route_of_the_tasks_name(tmp_path: Path) -> None:
    mappings = {"('query', 'text')": "small", "(None, None)": "query"}
    routes = {"query": ["Transformer", "Pooling"], "small": ["StaticEmbedding"]}
    write_router(tmp_path, routes, route_mappings=mappings)
    found = read_routes(tmp_path, [ROUTER])
    assert found["query"].kinds == ("StaticEmbedding",)
    assert found["passage"].kinds == ("Transformer", "Pooling")


def test_router_inside_a_route_is_followed(tmp_path: Path) -> None:
    write_router(tmp_path, {"query": ["StaticEmbedding"], "document": ["Router"]})
    write_router(tmp_path / "document_0_Router", {"text": ["Transformer", "Pooling"]})
    passage = read_routes(tmp_path, [ROUTER])["passage"]
    assert passage.kinds == ("Transformer", "Pooling")
    assert passage.modules[0].path == "document_0_Router/text_0_Transformer"


def test_older_models_name_their_passages_route_otherwise(tmp_path: Path) -> None:
    write_router(tmp_path, {"query": ["Dense"], "doc": ["Dense"]})
    (tmp_path / "router_config.json").rename(tmp_path / "config.json")
    asym = Module("Asym", "sentence_transformers.models.Asym", "")
    assert read_routes(tmp_path, [asym])["passage"].task == "doc"


def test_missing_route_is_named_with_those_that_exist(tmp_path: Path) -> None:
    write_router(tmp_path, {"query": ["Dense"], "image": ["Dense"]})
    with pytest.raises(UnsupportedArchitecture, match="routes image, query, none for a passage"):
        read_routes(tmp_path, [ROUTER])


@pytest.mark.parametrize(
    "config",
    [
        {"types": {}},
        {"types": {}, "structure": {"query": ["0_Dense"]}, "parameters": {}},
        {"types": {}, "structure": {}, "parameters": {"route_mappings": {"open(": "query"}}},
    ],
    ids=["incomplete", "part without a type", "mapping that is no pair"],
)
def test_router_that_cannot_be_read_names_its_file(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "router_config.json").write_text(json.dumps(config))
    with pytest.raises(UnsupportedArchitecture, match=r"router_config\.json.*save the model again"):
        read_routes(tmp_path, [ROUTER])
