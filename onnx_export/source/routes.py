"""Which modules queries and passages go through, where a Router sends them apart."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, model_validator

from bicross.bundle.record import InputType
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import Module, read_json

ROUTERS = ("Asym", "Router")
# `task` of sentence-transformers' encode: the names that encode_query and encode_document give,
# then those that older models have.
TASKS: dict[InputType, tuple[str, ...]] = {
    "query": ("query",),
    "passage": ("document", "passage", "doc", "corpus"),
}


@dataclass(frozen=True)
class Route:
    """`task` is what sentence-transformers is told; `modules` are without the routers."""

    task: str
    modules: tuple[Module, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(module.kind for module in self.modules)


def read_routes(folder: Path, modules: Iterable[Module]) -> dict[InputType, Route]:
    """Raises `UnsupportedArchitecture`, naming the routes, where one input type has none."""
    listed = list(modules)
    return {
        input_type: _read_route(folder, listed, input_type) for input_type in ("query", "passage")
    }


def _read_route(folder: Path, modules: list[Module], input_type: InputType) -> Route:
    tasks = TASKS[input_type]
    for task in tasks:
        found = _resolved(folder, modules, task)
        if found is not None:
            return Route(task, tuple(found))
    routers = [_read_router(folder, module) for module in modules if module.kind in ROUTERS]
    names = sorted({name for router in routers for name in router.structure})
    raise UnsupportedArchitecture(
        f"{folder.name}: its Router has routes {', '.join(names)}, none for a {input_type}; "
        f"name one of them {' or '.join(tasks)}, or give the Router a route for every task"
    )


def _resolved(folder: Path, modules: Iterable[Module], task: str) -> list[Module] | None:
    """None where a router among them knows no way for `task`."""
    found = []
    for module in modules:
        if module.kind not in ROUTERS:
            found.append(module)
            continue
        router = _read_router(folder, module)
        name = router.route_name(task)
        inner = None if name is None else _resolved(folder, router.parts(name, module.path), task)
        if inner is None:
            return None
        found += inner
    return found


class Router(BaseModel):
    """router_config.json, of which only what decides a text's way is read."""

    types: dict[str, str]
    structure: dict[str, list[str]]
    parameters: dict[str, Any]

    @model_validator(mode="after")
    def parts_have_types(self) -> Self:
        if lost := {part for row in self.structure.values() for part in row} - self.types.keys():
            raise ValueError(f"no type for {', '.join(sorted(lost))}")
        self.mappings()
        return self

    def mappings(self) -> dict[Any, str]:
        """Routes by task and modality; the keys are Python's notation of pairs."""
        saved = self.parameters.get("route_mappings") or {}
        return {ast.literal_eval(key): name for key, name in saved.items()}

    def route_name(self, task: str) -> str | None:
        """In the order in which sentence-transformers' Router looks, for texts."""
        mappings = self.mappings()
        for key in ((task, "text"), (task, None), (None, "text"), (None, None)):
            if key in mappings:
                return mappings[key]
        return next((name for name in (task, "text") if name in self.structure), None)

    def parts(self, name: str, path: str) -> list[Module]:
        """The modules of one route of the router at `path`."""
        return [
            Module(
                self.types[part].rpartition(".")[2], self.types[part], f"{path}/{part}".lstrip("/")
            )
            for part in self.structure.get(name, [])
        ]


def _read_router(folder: Path, module: Module) -> Router:
    """Raises `UnsupportedArchitecture` for a file that is not a router's."""
    place = f"{module.path}/router_config.json".lstrip("/")
    # Older models keep it in config.json.
    config = read_json(folder, place) or read_json(folder, f"{module.path}/config.json".lstrip("/"))
    try:
        return Router.model_validate(config)
    except (ValueError, SyntaxError) as error:
        first = str(error).splitlines()[0]
        raise UnsupportedArchitecture(
            f"{folder.name}: {place} lists no routes of a Router ({first}); "
            "save the model again with sentence-transformers"
        ) from None
