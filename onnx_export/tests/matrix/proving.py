"""A row of the matrix from its model to figures: built, exported, gated, opened, compared."""

from dataclasses import dataclass

from bicross.bundle import Bundle, open_bundle
from bicross.bundle.golden import PASSAGES, QUERIES
from bicross.runtime.engine import runnable_precisions
from bicross.runtime.ranking.samples import Sample, read_sample
from onnx_export.publish import Request, export_reporting
from onnx_export.source.hub import ModelFolder
from onnx_export.tests.matrix.row import Agreement, Row
from onnx_export.tests.matrix.workshop import Workshop

MIN_COSINE = 1 - 1e-5
# Of the largest score, thousands of times what float32 loses. Below it the passages are too alike
# for their order to say anything.
MIN_SPREAD = 0.01


@dataclass(frozen=True)
class Proof:
    """One agreement for each precision that the bundle holds; `refused` names those it does not."""

    bundle: Bundle
    agreements: dict[str, Agreement]
    refused: str = ""


def small_sample() -> Sample:
    """8 queries by 16 passages: the least that the gate takes."""
    whole = read_sample()
    return Sample("built-in", whole.queries[:QUERIES], whole.passages[:PASSAGES])


def prove_row(
    row: Row, workshop: Workshop, sample: Sample, precisions: tuple[str, ...] = ()
) -> Proof:
    """fp32 and those of further `precisions` that their gate lets through.

    Raises what `export_model` does for fp32, `GateFailed` above all.
    """
    folder = row.build(workshop)
    out = workshop.root / "bundles" / row.id
    request = Request(ModelFolder(folder, row.id), out, sample, row.options, precisions=precisions)
    _, refused = export_reporting(request, _silent)
    bundle = open_bundle(out)
    return Proof(
        bundle,
        {
            name: row.compare(folder, bundle, sample, name)
            for name in runnable_precisions(bundle.manifest)
        },
        "" if refused is None else str(refused),
    )


def _silent(text: str) -> None:
    del text
