"""The manifest of a bundle in the making, from what was written and what is known."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from bicross.bundle import Manifest
from bicross.bundle.heads import Head
from bicross.bundle.manifest import HEADS, FileRecord, Graph, PrecisionRecord, Source
from bicross.bundle.record import InputType, Task
from bicross.bundle.sequences import Sequences

TOOLS = (
    "bicross",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)
UNSEALED = "0" * 64


@dataclass(frozen=True)
class Identity:
    """What a bundle is called and, its files apart, what decides its outputs."""

    name: str
    source: Source
    task: Task
    head: Head
    max_tokens: int
    padding_side: Literal["left"] | None = None
    sequences: dict[InputType, Sequences] | None = None


@dataclass(frozen=True)
class Graphs:
    """`query` is None where queries go through the passages' graph."""

    passage: Graph
    query: Graph | None = None


def make_manifest(
    who: Identity,
    graphs: Graphs,
    precisions: dict[str, PrecisionRecord],
    files: dict[str, FileRecord],
    tools: tuple[str, ...] = TOOLS,
) -> Manifest:
    """`files` are all of the bundle's but manifest.json, tokenizer.json among them; `tools` are the
    packages that had a part.
    """
    return Manifest.model_validate(
        {
            "name": who.name,
            "digest": UNSEALED,
            "task": who.task,
            "source": who.source,
            "max_tokens": who.max_tokens,
            "padding_side": who.padding_side,
            "sequences": who.sequences,
            HEADS[who.task]: who.head,
            "graph": graphs.passage,
            "query_graph": graphs.query,
            "precisions": precisions,
            "files": files,
            "tools": tool_versions(tools),
        }
    ).sealed()


def tool_versions(names: tuple[str, ...] = TOOLS) -> dict[str, str]:
    """The version of each of the packages, of those that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
