"""Precisions added to a bundle whose float32 graph is proven: made, judged, recorded."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bicross.bundle import Bound, Bundle, Manifest
from bicross.bundle.layout import GOLDENS, graph_path
from bicross.bundle.manifest import FileRecord, PrecisionRecord
from bicross.bundle.store import file_sha256
from bicross.errors import EnvironmentProblem, GateFailed
from bicross.runtime import Encoder, load_encoder
from onnx_export.gate.failure import Figures
from onnx_export.gate.judgements import Judge, Narrate
from onnx_export.gate.measurement import Measurement, measure
from onnx_export.gate.parity import require_parity
from onnx_export.gate.probes import Probes
from onnx_export.precision.bounds import hinted_bound, measured_bound
from onnx_export.precision.fusion import fused_at_load
from onnx_export.precision.material import GraphWork, Material, gather
from onnx_export.precision.names import BASIS, PRECISIONS
from onnx_export.precision.speed import compare_speed
from onnx_export.precision.trials import METHODS, Kept, trials

SHOWN_NODES = 200


class PrecisionsRefused(GateFailed):
    """The bundle stands with `manifest`; the precisions that failed are not in it."""

    def __init__(self, manifest: Manifest, refused: Sequence[GateFailed]) -> None:
        told = "; ".join(str(error) for error in refused)
        cases = "\n".join(error.case for error in refused if error.case)
        super().__init__(f"{told}. The bundle was written", case=cases)
        self.manifest = manifest


@dataclass(frozen=True)
class Addition:
    record: PrecisionRecord
    bound: Bound


@dataclass(frozen=True)
class Workbench:
    """`bundle` is a folder in the making, or a copy; files are written into it."""

    bundle: Bundle
    probes: Probes
    narrate: Narrate
    judge: Judge | None = None

    @cached_property
    def fp32(self) -> Encoder:
        return load_encoder(self.bundle, BASIS)

    @cached_property
    def materials(self) -> dict[str, Material]:
        return gather(self.bundle, self.fp32, self.probes)

    def add(self, name: str) -> Addition:
        """Raises `GateFailed`, naming the figure; then nothing of it is left."""
        precision = PRECISIONS[name]
        basis = self.bundle.manifest.precisions[BASIS]
        if precision.hint is not None:
            record = PrecisionRecord(
                file=basis.file,
                query_file=basis.query_file,
                hint=precision.hint,
                parity="not measured",
                moved_by_batch=self._moved_in_openvino(name),
            )
            return Addition(record, hinted_bound(self.probes))
        try:
            return self._first_that_passes(name)
        except GateFailed:
            self._remove(name)
            raise

    def _moved_in_openvino(self, name: str) -> float | None:
        """None where OpenVINO is not installed, or this CPU cannot compute as it is asked."""
        try:
            encoder = load_encoder(self.bundle, name, engine="openvino")
        except EnvironmentProblem:
            return None
        return measure(encoder, self.probes, self.narrate, exact=False).moved_by_batch

    def _first_that_passes(self, name: str) -> Addition:
        plain: Figures = {}
        failed: GateFailed | None = None
        for number, kept in enumerate(trials(METHODS[name], self.materials), 1):
            self._remove(name)
            work, draft, encoder = self._make(name, kept)
            measured = measure(encoder, self.probes, self.narrate, exact=False)
            try:
                parity = self._judge(name, encoder, measured)
            except GateFailed as error:
                plain, failed = plain or _plain(measured), error
                continue
            speed = compare_speed(encoder, self.fp32, self.probes)
            record = draft.manifest.precisions[name]
            work |= plain | {"trials": float(number)}
            record = record.model_copy(
                update={
                    "parity": parity,
                    "moved_by_batch": measured.moved_by_batch,
                    "speed": speed,
                    "graph_work": work,
                }
            )
            return Addition(record, measured_bound(measured, self.probes))
        raise failed or GateFailed(f"{name}: there was nothing to try")

    def _make(self, name: str, kept: Kept) -> tuple[GraphWork, Bundle, Encoder]:
        """Raises `GateFailed` where a tool cannot convert the graph, or converts it into none."""
        try:
            work = self._convert(name, kept)
            draft = self._draft(name)
            return work, draft, load_encoder(draft, name)
        except Exception as error:
            # onnx's and onnxruntime's tools raise whatever they come upon.
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise GateFailed(
                f"{self.bundle.manifest.name}, {name}: the graph cannot be converted: {first}"
            ) from error

    def _judge(self, name: str, encoder: Encoder, measured: Measurement) -> Figures:
        who = f"{self.bundle.manifest.name}, {name}"
        parity = require_parity(measured, self.probes, who, PRECISIONS[name].error_class)
        if self.judge is not None:
            parity |= self.judge.figures(encoder, self.narrate)
        return parity

    def _convert(self, name: str, kept: Kept) -> GraphWork:
        work: GraphWork = {}
        for file, material in self.materials.items():
            products = kept[file]
            told = f", {len(products)} products in float" if products else ""
            self.narrate(f"{name}: converting {file}{told}")
            target = self.bundle.file(graph_path(name, file))
            nodes = [product.node for product in products]
            part = METHODS[name].convert(material, target, nodes)
            if products:
                labels = ", ".join(product.label for product in products[:SHOWN_NODES])
                part |= {"kept_float": float(len(products)), "kept_float.nodes": labels}
            if fused := fused_at_load(target):
                part["fused_at_load"] = fused
            prefix = "query_graph." if file != self.bundle.manifest.precisions[BASIS].file else ""
            work |= {f"{prefix}{key}": value for key, value in part.items()}
        return work

    def _draft(self, name: str) -> Bundle:
        manifest, basis = self.bundle.manifest, self.bundle.manifest.precisions[BASIS]
        query_file = None if basis.query_file is None else graph_path(name, basis.query_file)
        record = PrecisionRecord(
            file=graph_path(name, basis.file), query_file=query_file, parity="not measured"
        )
        update = {
            "precisions": {**manifest.precisions, name: record},
            "files": {**manifest.files, **_file_records(self.bundle, record)},
        }
        return Bundle(self.bundle.path, manifest.model_copy(update=update), self.bundle.goldens)

    def _remove(self, name: str) -> None:
        for file in self.materials:
            graph = self.bundle.file(graph_path(name, file))
            for part in (graph, graph.with_name(f"{graph.name}.data")):
                part.unlink(missing_ok=True)


def add_precisions(
    bench: Workbench, names: Sequence[str], judgements: Path | None = None
) -> tuple[Bundle, tuple[GateFailed, ...]]:
    """The bundle with those that passed, its goldens written, and why the others did not.

    float32's record gets what onnxruntime fuses in it, and with a folder of `judgements` its own
    figures.
    """
    bench = replace(bench, bundle=_with_fusion(bench.bundle))
    if judgements is not None:
        judge = Judge.of(judgements, bench.fp32, bench.narrate)
        bench = replace(bench, bundle=_with_figures(bench.bundle, judge.basis_figures), judge=judge)
    bundle, refused = bench.bundle, []
    for name in names:
        try:
            added = bench.add(name)
        except GateFailed as error:
            refused.append(GateFailed(f"{error}; {name} was not written", case=error.case))
            continue
        bundle = _with(bundle, name, added)
    return bundle, tuple(refused)


def _with_fusion(bundle: Bundle) -> Bundle:
    file = bundle.file(bundle.manifest.precisions[BASIS].file)
    fused = fused_at_load(file)
    return _with_basis(bundle, graph_work={"fused_at_load": fused}) if fused else bundle


def _with_figures(bundle: Bundle, figures: Figures) -> Bundle:
    """Added to those of float32."""
    parity = bundle.manifest.precisions[BASIS].parity
    return _with_basis(bundle, parity=figures if isinstance(parity, str) else parity | figures)


def _with_basis(bundle: Bundle, **changes: object) -> Bundle:
    record = bundle.manifest.precisions[BASIS].model_copy(update=changes)
    precisions = {**bundle.manifest.precisions, BASIS: record}
    manifest = bundle.manifest.model_copy(update={"precisions": precisions})
    return Bundle(bundle.path, manifest, bundle.goldens)


def _with(bundle: Bundle, name: str, added: Addition) -> Bundle:
    bounds = {**bundle.goldens.bounds, name: added.bound}
    goldens = bundle.goldens.model_copy(update={"bounds": bounds})
    bundle.file(GOLDENS).write_text(goldens.to_json())
    manifest = bundle.manifest
    files = {
        **manifest.files,
        **_file_records(bundle, added.record),
        GOLDENS: _file(bundle, GOLDENS),
    }
    precisions = {**manifest.precisions, name: added.record}
    manifest = manifest.model_copy(update={"files": files, "precisions": precisions})
    return Bundle(bundle.path, manifest, goldens)


def _file_records(bundle: Bundle, record: PrecisionRecord) -> dict[str, FileRecord]:
    """Of its graphs and their external weights."""
    names = itertools.chain.from_iterable((file, f"{file}.data") for file in record.files)
    return {name: _file(bundle, name) for name in names if bundle.file(name).exists()}


def _file(bundle: Bundle, name: str) -> FileRecord:
    file = bundle.file(name)
    return FileRecord(sha256=file_sha256(file), size=file.stat().st_size)


def _plain(measured: Measurement) -> GraphWork:
    """What the graph showed with every product in few bits."""
    return {
        "nothing_kept.mean_kendall_tau": float(measured.taus.mean()),
        "nothing_kept.mean_top10_overlap": float(measured.overlaps.mean()),
        "nothing_kept.min_cosine": measured.min_cosine,
    }
