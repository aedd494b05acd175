"""A folder that already holds ONNX to a bundle, without torch.

There is no original to compare with, so the bundle says that its parity was not measured.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bicross.bundle import Bundle, Goldens, Manifest, open_bundle, staged_bundle
from bicross.bundle.heads import Head
from bicross.bundle.layout import GOLDENS, MANIFEST, TOKENIZER, graph_path
from bicross.bundle.manifest import Graph, PrecisionRecord, Source
from bicross.bundle.record import Task
from bicross.bundle.store import file_records
from bicross.errors import MissingFile, UnsupportedArchitecture, UsageError
from bicross.runtime import load_encoder, self_test
from bicross.runtime.ranking.samples import Sample
from onnx_export.adopt.adopted_files import write_files, write_graph
from onnx_export.adopt.folder_facts import config_and_task, max_tokens, padding_side
from onnx_export.adopt.graph_inputs import complete_inputs
from onnx_export.adopt.head import HeadOptions, choose_rerank_head, plan_embedding
from onnx_export.adopt.onnx_folder import OnnxGraph, open_graph
from onnx_export.adopt.pooled_graph import complete_graph
from onnx_export.adopt.self_goldens import hold_to, self_goldens
from onnx_export.adopt.token_heads import adopt_late_interaction, adopt_sparse
from onnx_export.model_card import with_model_card
from onnx_export.records import Graphs, Identity, make_manifest
from onnx_export.source.hub import weights_sha256
from onnx_export.source.licence import read_licence
from onnx_export.source.own_files import require_own_file
from onnx_export.source.spec import bundle_name

Narrate = Callable[[str], None]
# Torch has no part in an adoption, installed or not.
TOOLS = ("bicross", "onnx", "onnxruntime", "tokenizers")
# With these the graph is run for the first time, to make its own.
NO_GOLDENS = Goldens(queries=(), passages=(), bounds={})


@dataclass(frozen=True)
class AdoptRequest:
    """`graphs` are files of `folder`, the first of them the one whose numbers hold; none where the
    folder leaves no choice.
    """

    folder: Path
    out: Path
    sample: Sample
    head: HeadOptions = field(default_factory=HeadOptions)
    task: Task | None = None
    name: str | None = None
    graphs: tuple[str, ...] = ()
    max_tokens: int | None = None
    force: bool = False

    @property
    def model(self) -> str:
        return self.folder.absolute().name


@dataclass(frozen=True)
class Adopted:
    """One graph, completed in memory."""

    graph: OnnxGraph
    head: Head
    shape: Graph


def adopt_folder(request: AdoptRequest, narrate: Narrate) -> Manifest:
    """The manifest of the bundle written at `request.out`. What was assumed is narrated.

    Raises `UnsupportedArchitecture` for a number in the folder that no manifest may hold.
    """
    try:
        return _adopt(request, narrate)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = ".".join(str(part) for part in first["loc"])
        raise UnsupportedArchitecture(
            f"{request.model}: its files or its graph give a {what} of {first['input']!r}: "
            f"{first['msg']}"
        ) from None


def _adopt(request: AdoptRequest, narrate: Narrate) -> Manifest:
    _require_tokenizer(request.folder)
    with staged_bundle(request.out, force=request.force) as staging:
        narrate(f"reading {request.folder}")
        graphs = _open_graphs(request)
        config, task = config_and_task(request.folder, graphs[0], request.task, narrate)
        adopted = [_complete(request, graph, config, task) for graph in graphs]
        _require_one_shape(adopted)
        first = adopted[0]
        who = Identity(
            bundle_name(request.name or request.model),
            # The digest is the first graph's, as it is fp32's of an exported model.
            Source(
                model=request.model,
                weights_sha256=weights_sha256(first.graph.files),
                license=read_licence(request.folder),
            ),
            task,
            first.head,
            max_tokens(request.folder, config, request.max_tokens),
            padding_side(request.folder),
        )
        write_files(request.folder, config, who, staging)
        for one in adopted:
            write_graph(one.graph, staging)
        shape = Graphs(first.shape)
        draft = make_manifest(who, shape, _records(adopted), file_records(staging), TOOLS)
        records = _prove(Bundle(staging, draft, NO_GOLDENS), adopted, request.sample, narrate)
        manifest = make_manifest(who, shape, records, file_records(staging), TOOLS)
        manifest = with_model_card(manifest, staging)
        (staging / MANIFEST).write_text(manifest.to_json())
        narrate("reading the bundle as the server will")
        bundle = open_bundle(staging)
        for precision in records:
            self_test(load_encoder(bundle, precision), bundle)
    return manifest


def _require_tokenizer(folder: Path) -> None:
    if not (folder / TOKENIZER).is_file():
        raise MissingFile(f"{folder} holds no {TOKENIZER}; put the model's own into it")
    require_own_file(folder, folder / TOKENIZER)


def _open_graphs(request: AdoptRequest) -> list[OnnxGraph]:
    """Raises `UsageError` for two graphs of the same precision."""
    graphs: dict[str, OnnxGraph] = {}
    for wanted in request.graphs or (None,):
        graph = open_graph(request.folder, wanted)
        other = graphs.setdefault(graph.precision, graph)
        if other is not graph:
            raise UsageError(
                f"--graph {wanted}: {other.file.name} is {graph.precision} too; choose one of them"
            )
    return list(graphs.values())


def _complete(
    request: AdoptRequest, graph: OnnxGraph, config: dict[str, Any], task: Task
) -> Adopted:
    """The graph gets what it lacks between its outputs and the task's."""
    complete_inputs(graph, config.get("model_type"))
    head: Head
    if task == "rerank":
        head, output = choose_rerank_head(request.folder, graph, config, request.head)
    elif task == "sparse_embedding":
        head, output = adopt_sparse(request.folder, graph, request.head)
    elif task == "late_interaction":
        head, output = adopt_late_interaction(request.folder, graph, request.head)
    else:
        plan = plan_embedding(request.folder, graph, config, request.head)
        head, pooling = plan.head, plan.head.pooling
        output = complete_graph(graph, pooling, plan.tail, with_prompt=plan.with_prompt)
    inputs = complete_inputs(graph, config.get("model_type"))
    return Adopted(graph, head, Graph(inputs=inputs, output=output, opset=graph.opset))


def _require_one_shape(adopted: list[Adopted]) -> None:
    """All graphs of a bundle are fed and read alike."""
    first = adopted[0]
    for one in adopted[1:]:
        same = (one.shape.inputs, one.shape.output) == (first.shape.inputs, first.shape.output)
        if not same or one.head != first.head:
            raise UnsupportedArchitecture(
                f"{one.graph.file.name} and {first.graph.file.name} differ in inputs, output or "
                "dimensions; adopt them as two bundles"
            )


def _records(adopted: list[Adopted]) -> dict[str, PrecisionRecord]:
    return {
        one.graph.precision: PrecisionRecord(
            file=graph_path(one.graph.precision), parity="not measured"
        )
        for one in adopted
    }


def _with(record: PrecisionRecord, **figures: object) -> PrecisionRecord:
    return record.model_copy(update=figures)


def _prove(
    bundle: Bundle, adopted: list[Adopted], sample: Sample, narrate: Narrate
) -> dict[str, PrecisionRecord]:
    """Writes the first graph's goldens and holds the others to them."""
    records = _records(adopted)
    first, *others = records
    narrate(f"measuring how far {first} moves with its batch ({sample})")
    own = self_goldens(load_encoder(bundle, first), sample)
    records[first] = _with(records[first], moved_by_batch=own.moved_by_batch)
    bounds = dict(own.goldens.bounds)
    for precision in others:
        narrate(f"comparing {precision} with {first}")
        bounds[precision], figures, moved = hold_to(own, load_encoder(bundle, precision))
        parity = {**figures, "reference": f"{first} of the same folder", "sample": str(sample)}
        records[precision] = _with(records[precision], parity=parity, moved_by_batch=moved)
    goldens = own.goldens.model_copy(update={"bounds": bounds})
    (bundle.path / GOLDENS).write_text(goldens.to_json())
    return records
