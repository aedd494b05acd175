"""What an adopted folder's bundle holds, written."""

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx

from bicross.bundle.layout import CONFIG, TOKENIZER, graph_path
from onnx_export.adopt.onnx_folder import OnnxGraph
from onnx_export.descriptions import TOKENIZER_CONFIG, complete_descriptions, copy_descriptions
from onnx_export.records import Identity
from onnx_export.source.own_files import require_own_files


def write_files(folder: Path, config: dict[str, Any], who: Identity, staging: Path) -> None:
    """Everything but the graphs and what is measured."""
    require_own_files(folder)
    copy_descriptions(folder, staging)
    for name in (TOKENIZER, TOKENIZER_CONFIG):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, staging / name)
    (staging / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    complete_descriptions(staging, who.head, who.max_tokens)


def write_graph(graph: OnnxGraph, staging: Path) -> None:
    """The completed graph, and its external tensors beside it under the graph's own name."""
    target = staging / graph_path(graph.precision)
    target.parent.mkdir(exist_ok=True)
    names = {
        location: f"{target.name}.data{number or ''}"
        for number, location in enumerate(graph.external)
    }
    for tensor in _tensors(graph.model):
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = names[entry.value]
    for location, file in graph.external.items():
        shutil.copyfile(file, target.parent / names[location])
    target.write_bytes(graph.model.SerializeToString())


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from _tensors_of(model.graph)
    for function in model.functions:
        yield from _attribute_tensors(function.node)


def _tensors_of(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    yield from _attribute_tensors(graph.node)


def _attribute_tensors(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for graph in (attribute.g, *attribute.graphs):
            yield from _tensors_of(graph)
