"""A folder that already holds ONNX to a bundle, without torch.

There is no original to compare with, so the bundle says that its parity was not measured.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bicross.bundle import Bundle, Goldens, Manifest, open_bundle, staged_bundle
from bicross.bundle.heads import Embedding, Rerank
from bicross.bundle.layout import CONFIG, GOLDENS, MANIFEST, TOKENIZER, graph_path
from bicross.bundle.manifest import Graph, PrecisionRecord, Source
from bicross.bundle.record import Task
from bicross.bundle.store import file_records
from bicross.errors import MissingFile, UsageError
from bicross.runtime import self_test
from onnx_export.adopt.graph_config import config_from_graph
from onnx_export.adopt.head import HeadOptions, choose_embedding_head, choose_rerank_head
from onnx_export.adopt.onnx_folder import OnnxGraph, open_graph
from onnx_export.adopt.pooled_graph import complete_graph
from onnx_export.adopt.self_goldens import self_goldens
from onnx_export.descriptions import copy_descriptions
from onnx_export.gate.batches import load_encoder
from onnx_export.gate.samples import Sample
from onnx_export.records import Graphs, Identity, make_manifest
from onnx_export.source.hub import weights_sha256
from onnx_export.source.model_files import read_json, read_max_tokens, read_modules
from onnx_export.source.spec import bundle_name, detect_task

TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json")
# With these the graph is run for the first time, to make its own.
NO_GOLDENS = Goldens(queries=(), passages=(), bounds={})


@dataclass(frozen=True)
class AdoptRequest:
    """`graph` is a file of `folder`; None where the folder leaves no choice."""

    folder: Path
    out: Path
    sample: Sample
    head: HeadOptions = field(default_factory=HeadOptions)
    task: Task | None = None
    name: str | None = None
    graph: str | None = None
    max_tokens: int | None = None
    force: bool = False


def adopt_folder(request: AdoptRequest, narrate: Callable[[str], None]) -> Manifest:
    """The manifest of the bundle written at `request.out`. What was assumed is narrated."""
    if not (request.folder / TOKENIZER).is_file():
        raise MissingFile(f"{request.folder} holds no {TOKENIZER}; put the model's own into it")
    with staged_bundle(request.out, force=request.force) as staging:
        narrate(f"reading {request.folder}")
        graph = open_graph(request.folder, request.graph)
        config, task = _config_and_task(request, graph, narrate)
        head, output = _complete(request, graph, config, task)
        _write_files(request, graph, config, staging)
        own_name = request.folder.absolute().name
        who = Identity(
            bundle_name(request.name or own_name),
            Source(
                model=request.folder.absolute().name, weights_sha256=weights_sha256(graph.files)
            ),
            task,
            head,
            _max_tokens(request, config),
        )
        shape = Graphs(Graph(inputs=graph.inputs, output=output, opset=graph.opset))
        precisions = {
            graph.precision: PrecisionRecord(
                file=graph_path(graph.precision), parity="not measured"
            )
        }
        draft = make_manifest(who, shape, precisions, file_records(staging))
        narrate(f"measuring how far {graph.precision} moves with its batch ({request.sample})")
        _write_goldens(Bundle(staging, draft, NO_GOLDENS), request.sample)
        manifest = make_manifest(who, shape, precisions, file_records(staging))
        (staging / MANIFEST).write_text(manifest.to_json())
        narrate("reading the bundle as the server will")
        bundle = open_bundle(staging)
        self_test(load_encoder(bundle, graph.precision), bundle)
    return manifest


def _config_and_task(
    request: AdoptRequest, graph: OnnxGraph, narrate: Callable[[str], None]
) -> tuple[dict[str, Any], Task]:
    config = read_json(request.folder, CONFIG)
    modules = read_modules(request.folder)
    task = request.task or graph.task
    if config and task is None:
        task = detect_task(request.folder, config, modules)
    if task is None:
        raise UsageError(f"the outputs of {graph.file.name} do not tell its task; give --task")
    if not config:
        narrate("config.json is missing: completed from the graph's shapes")
        config = config_from_graph(graph, task) | _padding(request.folder)
        if task == "rerank":
            narrate("no activation is named: the logits are taken as they are (identity)")
    return config, task


def _complete(
    request: AdoptRequest, graph: OnnxGraph, config: dict[str, Any], task: Task
) -> tuple[Embedding | Rerank, str]:
    """The head and the output that carries it; a bi-encoder's graph gets what it lacks."""
    if task == "rerank":
        return choose_rerank_head(request.folder, graph, config, request.head)
    head = choose_embedding_head(request.folder, graph, config, request.head)
    return head, complete_graph(graph, head.pooling, normalize=head.normalize)


def _write_files(
    request: AdoptRequest, graph: OnnxGraph, config: dict[str, Any], staging: Path
) -> None:
    target = staging / graph_path(graph.precision)
    target.parent.mkdir()
    target.write_bytes(graph.model.SerializeToString())
    for file in graph.external:
        copy = target.parent / file.relative_to(graph.file.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    copy_descriptions(request.folder, staging)
    for name in TOKENIZER_FILES:
        if (request.folder / name).is_file():
            shutil.copyfile(request.folder / name, staging / name)
    (staging / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _write_goldens(bundle: Bundle, sample: Sample) -> None:
    (precision,) = bundle.manifest.precisions
    encoder = load_encoder(bundle, precision)
    goldens = self_goldens(encoder, sample, is_rerank=bundle.manifest.task == "rerank")
    (bundle.path / GOLDENS).write_text(goldens.to_json())


def _max_tokens(request: AdoptRequest, config: dict[str, Any]) -> int:
    limits = [request.max_tokens, read_max_tokens(request.folder, config)]
    limits.append((read_json(request.folder, TOKENIZER).get("truncation") or {}).get("max_length"))
    known = [limit for limit in limits if limit]
    if not known:
        raise UsageError("the folder names no longest sequence; give it with --max-tokens")
    if request.max_tokens and request.max_tokens > min(known):
        raise UsageError(f"--max-tokens {request.max_tokens}: the model takes {min(known)}")
    return min(known)


def _padding(folder: Path) -> dict[str, int]:
    """BERT's padding token by its name in tokenizer.json."""
    tokens = read_json(folder, TOKENIZER).get("added_tokens") or []
    found = next((row["id"] for row in tokens if row.get("content") == "[PAD]"), 0)
    return {"pad_token_id": int(found)}
