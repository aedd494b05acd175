"""Model to bundle: everything is written beside OUT, proven there, and then takes its place."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bicross.bundle import Bundle, Manifest, open_bundle, staged_bundle
from bicross.bundle.layout import GOLDENS, GRAPH, MANIFEST, QUERY_GRAPH
from bicross.bundle.manifest import Graph, PrecisionRecord, Source
from bicross.bundle.store import file_records
from bicross.errors import GateFailed
from bicross.runtime import load_encoder, self_test
from bicross.runtime.engine import runnable_precisions
from bicross.runtime.ranking.samples import Sample
from onnx_export.calibration import calibrated
from onnx_export.descriptions import complete_descriptions, copy_descriptions
from onnx_export.gate.measurement import Measurement
from onnx_export.gate.probes import Probes, compute_probes
from onnx_export.gate.proof import prove
from onnx_export.gate.tolerance import require_spread
from onnx_export.gate.whole import compare_with_whole
from onnx_export.graph.build import (
    ExportGraph,
    build_graph,
    build_query_graph,
    served_output,
    takes_padding_out,
)
from onnx_export.model_card import with_model_card
from onnx_export.precision.adding import PrecisionsRefused, Workbench, add_precisions
from onnx_export.records import Graphs, Identity, make_manifest
from onnx_export.reference.loading import Reference, load_reference
from onnx_export.source.attention_memory import free_memory_bytes, require_attention_memory
from onnx_export.source.hub import ModelFolder, weight_files, weights_sha256
from onnx_export.source.licence import read_licence
from onnx_export.source.model_files import read_json
from onnx_export.source.spec import ModelSpec, Options, read_spec
from onnx_export.trace import OPSET, Tracer, trace_graph

Narrate = Callable[[str], None]
Parity = dict[str, float | str]


@dataclass(frozen=True)
class Request:
    """With `force` a bundle at `out` is replaced."""

    folder: ModelFolder
    out: Path
    sample: Sample
    options: Options = field(default_factory=Options)
    force: bool = False
    precisions: tuple[str, ...] = ()
    judgements: Path | None = None


@dataclass(frozen=True)
class Draft:
    """What torch has given: a bundle that nothing has proven yet, and what is to prove it."""

    bundle: Bundle
    probes: Probes
    figures: Parity


def export_model(request: Request, narrate: Narrate, trace: Tracer = trace_graph) -> Manifest:
    """The manifest of the bundle written at `request.out`.

    Raises `GateFailed` or `FlatSample` where the graph is not proven; then OUT is as it was. Raises
    `PrecisionsRefused` where further precisions are not: then the others are written.
    """
    with staged_bundle(request.out, force=request.force) as staging:
        draft = _draft(request, staging, narrate, trace)
        # The original's weights go before a session brings them again.
        gc.collect()
        bundle, probes = draft.bundle, draft.probes
        measured, figures = _prove_basis(bundle, probes, narrate)
        found = {"parity": figures | draft.figures, "moved_by_batch": measured.moved_by_batch}
        record = bundle.manifest.precisions["fp32"].model_copy(update=found)
        manifest = bundle.manifest.model_copy(update={"precisions": {"fp32": record}})
        bench = Workbench(Bundle(staging, manifest, bundle.goldens), probes, narrate)
        bundle, refused = add_precisions(bench, request.precisions, request.judgements)
        manifest = with_model_card(bundle.manifest, staging)
        (staging / MANIFEST).write_text(manifest.to_json())
        narrate("reading the bundle as the server will")
        bundle = open_bundle(staging)
        for precision in runnable_precisions(manifest):
            self_test(load_encoder(bundle, precision), bundle)
    if refused:
        raise PrecisionsRefused(manifest, refused)
    return manifest


def _draft(request: Request, staging: Path, narrate: Narrate, trace: Tracer) -> Draft:
    """All that torch does. Raises `FlatSample` where the sample proves nothing."""
    narrate(f"torch: loading {request.folder.model}")
    reference = load_reference(_affordable_spec(request))
    narrate(f"torch: scoring the sample ({request.sample})")
    probes = compute_probes(reference, request.sample)
    spread = require_spread(probes.scores, probes.tolerance.score, request.sample)
    whole = compare_with_whole(reference, probes)
    graphs = _trace_graphs(reference, staging, narrate, trace)
    copy_descriptions(reference.spec.folder.path, staging)
    reference.write_tokenizer_and_config(staging)
    complete_descriptions(staging, reference.spec.head, reference.spec.max_tokens)
    manifest = _first_manifest(reference, graphs, probes, staging)
    figures = {"score_spread": spread} | whole | _circumstances(manifest, probes)
    return Draft(Bundle(staging, manifest, probes.goldens()), probes, figures)


def _affordable_spec(request: Request) -> ModelSpec:
    """Raises `UsageError` where the gate's longest sequence would not fit into memory."""
    spec, folder = read_spec(request.folder, request.options), request.folder
    config = read_json(folder.path, "config.json")
    require_attention_memory(folder.model, config, spec.max_tokens, free_memory_bytes())
    return spec


def export_reporting(
    request: Request, narrate: Narrate
) -> tuple[Manifest, PrecisionsRefused | None]:
    """The bundle that was written, and what of it was not."""
    try:
        return export_model(request, narrate), None
    except PrecisionsRefused as error:
        return error.manifest, error


def _trace_graphs(reference: Reference, staging: Path, narrate: Narrate, trace: Tracer) -> Graphs:
    narrate("tracing the graph")
    passage, query = build_graph(reference), build_query_graph(reference)
    trace(passage, staging / GRAPH)
    if query is not None:
        narrate("tracing the queries' graph")
        trace(query, staging / QUERY_GRAPH)
    return Graphs(_tensors(passage), None if query is None else _tensors(query))


def _tensors(graph: ExportGraph) -> Graph:
    return Graph(
        inputs=graph.inputs,
        output=served_output(graph),
        opset=OPSET,
        skips_padding=takes_padding_out(graph),
    )


def _prove_basis(bundle: Bundle, probes: Probes, narrate: Narrate) -> tuple[Measurement, Parity]:
    """The gate's figures of fp32, without which there is no bundle."""
    try:
        return prove(bundle, probes, narrate)
    except GateFailed as error:
        raise GateFailed(f"{error}; nothing was written", case=error.case) from error


def _first_manifest(
    reference: Reference, graphs: Graphs, probes: Probes, staging: Path
) -> Manifest:
    spec, query_file = reference.spec, QUERY_GRAPH if graphs.query else None
    (staging / GOLDENS).write_text(probes.goldens().to_json())
    source = Source(
        model=spec.folder.model,
        revision=spec.folder.revision,
        weights_sha256=weights_sha256(weight_files(spec.folder.path)),
        license=read_licence(spec.folder.path),
        layers=spec.layers,
    )
    return make_manifest(
        Identity(
            spec.name,
            source,
            spec.task,
            calibrated(spec.head, probes),
            spec.max_tokens,
            padding_side=reference.padding_side,
            sequences=reference.sequences,
        ),
        graphs,
        {"fp32": PrecisionRecord(file=GRAPH, query_file=query_file, parity="not measured")},
        file_records(staging),
    )


def _circumstances(manifest: Manifest, probes: Probes) -> Parity:
    return {
        "sample": str(probes.sample),
        "reference": f"sentence-transformers {manifest.tools['sentence-transformers']}",
    }
