"""Bundles made wrong on purpose: a copy with its graph or manifest changed, consistent again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from bicross.bundle import Bundle, Manifest, open_bundle
from bicross.bundle.layout import GRAPH, MANIFEST
from bicross.bundle.store import file_records
from onnx_export.adopt.onnx_folder import open_graph
from onnx_export.adopt.pooled_graph import OUTPUT, complete_graph
from onnx_export.adopt.tail import Normalize

ChangeGraph = Callable[[Path], None]
ChangeManifest = Callable[[dict[str, Any]], None]


def mutated(
    bundle: Bundle,
    target: Path,
    *,
    graph: ChangeGraph | None = None,
    manifest: ChangeManifest | None = None,
) -> Bundle:
    """Digests are made to match again, so that only the gate can notice."""
    shutil.copytree(bundle.path, target)
    if graph is not None:
        graph(target / GRAPH)
    raw = bundle.manifest.model_dump(mode="json")
    raw["files"] = {name: row.model_dump() for name, row in file_records(target).items()}
    if manifest is not None:
        manifest(raw)
    draft = Manifest.model_validate(raw).sealed()
    (target / MANIFEST).write_text(draft.to_json())
    return open_bundle(target)


def pooled_by(pooling: str, *, normalize: bool) -> ChangeGraph:
    """The sentence embedding made anew from the token embeddings by our own nodes."""

    def change(file: Path) -> None:
        opened = open_graph(file.parent)
        nodes = opened.model.graph
        for node in nodes.node:
            node.output[:] = ["old" if name == OUTPUT else name for name in node.output]
            node.input[:] = ["old" if name == OUTPUT else name for name in node.input]
        del nodes.output[1]
        complete_graph(opened, pooling, (Normalize(),) if normalize else ())
        onnx.save_model(opened.model, file)

    return change


def zero_type_ids(file: Path) -> None:
    model = onnx.load(file)
    for node in model.graph.node:
        node.input[:] = ["zeroed" if name == "token_type_ids" else name for name in node.input]
    model.graph.initializer.append(helper.make_tensor("nought", TensorProto.INT64, [], [0]))
    product = helper.make_node("Mul", ["token_type_ids", "nought"], ["zeroed"])
    model.graph.node.insert(0, product)
    onnx.save_model(model, file)


def drop_prompts(raw: dict[str, Any]) -> None:
    raw["embedding"]["prompts"] = {"query": "", "passage": ""}


def drop_query_prompt(raw: dict[str, Any]) -> None:
    raw["embedding"]["prompts"]["query"] = ""


def other_label(raw: dict[str, Any]) -> None:
    raw["rerank"]["relevance_label"] = 1 - raw["rerank"]["relevance_label"]


def halve_maximum(raw: dict[str, Any]) -> None:
    raw["max_tokens"] //= 2
