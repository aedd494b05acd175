"""What each precision of all-MiniLM-L6-v2 costs and gives, beside float32.

    python -m benchmarks.export_precisions COLLECTION... [--out FILE]

A collection is a folder in BEIR's layout. Every precision is made as the export makes it, first
with nothing left in float and then with what the gate's trials leave; both are measured, whether
the gate lets them pass or not. The table is printed as Markdown and written as JSON.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from bicross.bundle import Bundle, open_bundle
from bicross.bundle.layout import GRAPH, graph_path
from bicross.bundle.manifest import PrecisionRecord
from bicross.errors import GateFailed
from bicross.evaluate.compare import compare
from bicross.evaluate.measures import mean
from bicross.runtime import Encoder, load_encoder
from bicross.runtime.ranking.samples import read_sample
from demo.weights import fetch
from onnx_export.gate.judged import Judged, read_judged
from onnx_export.gate.judgements import ndcg
from onnx_export.gate.measurement import Measurement, measure
from onnx_export.gate.parity import require_parity
from onnx_export.gate.probes import Probes, compute_probes
from onnx_export.precision.fusion import fused_at_load
from onnx_export.precision.material import gather
from onnx_export.precision.names import PRECISIONS
from onnx_export.precision.speed import compare_speed
from onnx_export.precision.trials import METHODS, trials
from onnx_export.publish import Request, export_model
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec

MODEL = "all-MiniLM-L6-v2"
RESULT = Path(__file__).parent / "results" / "export_precisions.json"


@dataclass
class Row:
    precision: str
    kept_float: int
    passes: bool
    refused: str
    megabytes: float
    min_cosine: float
    mean_tau: float
    min_tau: float
    mean_overlap: float
    max_abs_diff: float
    speed: float
    ndcg: dict[str, dict[str, float]] = field(default_factory=dict)


def say(text: str) -> None:
    print(f"# {text}", flush=True)


def prepare(folder: Path) -> tuple[Bundle, Probes]:
    """The float32 bundle, and torch's numbers for the sample."""
    model, sample = ModelFolder(fetch(MODEL), MODEL), read_sample()
    export_model(Request(model, folder / "bundle", sample), say)
    return open_bundle(folder / "bundle"), compute_probes(
        load_reference(read_spec(model, Options())), sample
    )


def variants(bundle: Bundle, fp32: Encoder, probes: Probes, names: Sequence[str]) -> Iterator[Row]:
    """Of each precision the plain one, and the first that passes or else the last one tried."""
    materials = gather(bundle, fp32, probes)
    for name in names:
        tried: list[Row] = []
        for kept in trials(METHODS[name], materials):
            say(f"{name}: {len(kept[GRAPH])} products in float")
            work = METHODS[name].convert(
                materials[GRAPH],
                bundle.file(graph_path(name)),
                [product.node for product in kept[GRAPH]],
            )
            say(f"{name}: {work}")
            row = measured(bundle, fp32, probes, name)
            row.kept_float = len(kept[GRAPH])
            tried.append(row)
            if len(tried) == 1 or row.passes:
                yield row
            if row.passes:
                break
        if not tried[-1].passes and len(tried) > 1:
            yield tried[-1]


def measured(bundle: Bundle, fp32: Encoder, probes: Probes, name: str) -> Row:
    encoder = load_encoder(with_precision(bundle, name), name)
    found = measure(encoder, probes, say, exact=False)
    refused = ""
    try:
        require_parity(found, probes, name, PRECISIONS[name].error_class)
    except GateFailed as error:
        refused = str(error)
    size = bundle.file(graph_path(name)).stat().st_size / 1e6
    return row_of(name, found, refused, size, compare_speed(encoder, fp32, probes))


def row_of(
    name: str, found: Measurement, refused: str, megabytes: float, speed: dict[str, float]
) -> Row:
    return Row(
        precision=name,
        kept_float=0,
        passes=not refused,
        refused=refused,
        megabytes=megabytes,
        min_cosine=found.min_cosine,
        mean_tau=float(found.taus.mean()),
        min_tau=found.min_tau,
        mean_overlap=float(found.overlaps.mean()),
        max_abs_diff=found.max_abs_diff,
        speed=speed["texts_per_s_vs_fp32"],
    )


def with_precision(bundle: Bundle, name: str) -> Bundle:
    """As if the graph that lies there were part of the bundle."""
    record = PrecisionRecord(file=graph_path(name), parity="not measured")
    precisions = {**bundle.manifest.precisions, name: record}
    manifest = bundle.manifest.model_copy(update={"precisions": precisions})
    return Bundle(bundle.path, manifest, bundle.goldens)


def judge(
    bundle: Bundle, row: Row, judged: Sequence[Judged], basis: dict[str, dict[str, float]]
) -> None:
    """The graph of `row` still lies in the bundle."""
    encoder = load_encoder(with_precision(bundle, row.precision), row.precision)
    for collection in judged:
        values = ndcg(encoder, collection)
        difference = compare(basis[collection.name], values)
        row.ndcg[collection.name] = {
            "ndcg@10": mean(values),
            "difference": difference.difference,
            "low": difference.low,
            "high": difference.high,
        }


def optimised(bundle: Bundle, fp32: Encoder, probes: Probes) -> dict[str, object]:
    """What onnxruntime's transformer optimizer adds to what onnxruntime fuses by itself."""
    from onnxruntime.transformers.optimizer import optimize_model  # noqa: PLC0415  slow to import

    target = bundle.file(graph_path("optimised"))
    model = optimize_model(str(bundle.file(GRAPH)), "bert", num_heads=12, hidden_size=384)
    used = {node.domain for node in model.model.graph.node}
    unused = [each for each in model.model.opset_import if each.domain not in used]
    for each in unused:
        # The optimizer imports every domain that it knows; a bundle's graph may not.
        model.model.opset_import.remove(each)
    model.save_model_to_file(str(target))
    encoder = load_encoder(with_precision(bundle, "optimised"), "optimised")
    return {
        "fused_by_the_optimizer": {
            name: count for name, count in model.get_fused_operator_statistics().items() if count
        },
        "fused_at_load_of_the_plain_graph": fused_at_load(bundle.file(GRAPH)),
        "speed_vs_plain": compare_speed(encoder, fp32, probes),
    }


def machine() -> dict[str, object]:
    return {
        "cpu": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
        "onnxruntime": version("onnxruntime"),
        "torch": version("torch"),
    }


def table(rows: Sequence[Row], basis: dict[str, dict[str, float]]) -> str:
    names = list(basis)
    head = ["precision", "in float", "gate", "MB", "least cosine", "mean tau", "least tau"]
    head += ["top 10 kept", "moves by", "speed", *(f"nDCG@10, {name}" for name in names)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    plain = ["fp32", "all", "passes", *[""] * 7, *(f"{mean(basis[name]):.4f}" for name in names)]
    lines.append("| " + " | ".join(plain) + " |")
    for row in rows:
        cells = [row.precision, str(row.kept_float), "passes" if row.passes else "refuses"]
        cells += [f"{row.megabytes:.0f}", f"{row.min_cosine:.4f}", f"{row.mean_tau:.4f}"]
        cells += [f"{row.min_tau:.4f}", f"{row.mean_overlap:.3f}", f"{row.max_abs_diff:.1e}"]
        cells.append(f"{row.speed:.2f}")
        for name in names:
            found = row.ndcg[name]
            cells.append(
                f"{found['ndcg@10']:.4f} ({found['difference']:+.4f}, "
                f"{found['low']:+.4f} to {found['high']:+.4f})"
            )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--precision", action="append", choices=list(METHODS))
    asked = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="precisions-"))
    try:
        bundle, probes = prepare(scratch)
        fp32 = load_encoder(bundle, "fp32")
        judged = [read_judged(folder, "text_embedding") for folder in asked.collections]
        basis = {collection.name: ndcg(fp32, collection) for collection in judged}
        rows = []
        for row in variants(bundle, fp32, probes, asked.precision or list(METHODS)):
            judge(bundle, row, judged, basis)
            rows.append(row)
            say(json.dumps(asdict(row)))
        result = {
            "machine": machine(),
            "collections": [str(collection) for collection in judged],
            "fp32": {name: mean(values) for name, values in basis.items()},
            "rows": [asdict(row) for row in rows],
            "optimizer": optimised(bundle, fp32, probes),
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=1) + "\n")
    print(table(rows, basis))
    print(json.dumps(result["optimizer"], indent=1))


if __name__ == "__main__":
    main()
