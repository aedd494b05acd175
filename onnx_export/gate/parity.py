"""The gate: does the graph compute and rank as the original does?

Closeness of numbers alone would let a small, systematic error pass that changes an order; an order
alone would let errors pass that this sample does not show. So both are asked: of float32 that no
order of distinguishable passages changes, of a lossy precision that few do.
"""

from bicross.runtime.ranking.standards import STANDARDS, ErrorClass
from bicross.runtime.ranking.statistics import lowest_mean, lowest_share
from onnx_export.gate.failure import Figures, GateFigure, refuse
from onnx_export.gate.measurement import TOP, Measurement
from onnx_export.gate.probes import Probes
from onnx_export.gate.tolerance import lowest_tau

MIN_COSINE = 1 - 1e-6


def require_parity(
    measured: Measurement, probes: Probes, who: str, error_class: ErrorClass = "exact"
) -> Figures:
    """The figures beside their bounds, as the manifest keeps them.

    Raises `GateFailed`, naming the first figure that falls short.
    """
    report: Figures = {}
    for figure in _asked(measured, probes, error_class):
        # Written so that a NaN fails.
        if not figure.holds:
            raise refuse(who, figure, measured, probes.sample)
        report |= {figure.name: figure.value, f"bound.{figure.name}": figure.bound}
    report |= {"max_abs_diff": measured.max_abs_diff}
    for (kind, size), value in measured.differences.items():
        report[f"max_abs_diff.{kind}.{size}"] = value
    return report | _described(measured)


def _asked(measured: Measurement, probes: Probes, error_class: ErrorClass) -> list[GateFigure]:
    if error_class == "exact":
        return _exact(measured, probes)
    standard = STANDARDS[error_class]
    passages = min(TOP, len(probes.sample.passages))
    kept = float(measured.overlaps.sum()) * passages
    figures = [
        GateFigure("mean_kendall_tau.lower_95", lowest_mean(measured.taus), standard.mean_tau),
        GateFigure(
            f"mean_top{TOP}_overlap.lower_95",
            lowest_share(kept, passages * len(measured.overlaps)),
            standard.mean_overlap,
        ),
        GateFigure("min_kendall_tau", measured.min_tau, standard.tau),
        GateFigure(f"min_top{TOP}_overlap", measured.min_overlap, standard.overlap),
    ]
    if probes.has_directions:
        figures.append(GateFigure("min_cosine", measured.min_cosine, standard.cosine))
    return figures + _active(measured, probes, standard.active)


def _exact(measured: Measurement, probes: Probes) -> list[GateFigure]:
    tolerance = probes.tolerance
    figures = [
        GateFigure("max_abs_diff", measured.max_abs_diff, tolerance.value, at_most=True),
        GateFigure("min_kendall_tau", measured.min_tau, lowest_tau(probes.scores, tolerance)),
        GateFigure(f"min_top{TOP}_overlap", measured.min_overlap, 1.0),
    ]
    if probes.has_directions:
        figures.append(GateFigure("min_cosine", measured.min_cosine, MIN_COSINE))
    return figures + _active(measured, probes, 1.0)


def _active(measured: Measurement, probes: Probes, bound: float) -> list[GateFigure]:
    if probes.task != "sparse_embedding":
        return []
    return [GateFigure("min_active_token_overlap", measured.min_active_overlap, bound)]


def _described(measured: Measurement) -> Figures:
    """Figures without a bound; a swap by its texts' numbers in the sample, from 0."""
    report: Figures = {
        "mean_kendall_tau": float(measured.taus.mean()),
        f"mean_top{TOP}_overlap": float(measured.overlaps.mean()),
        "queries": float(len(measured.taus)),
    }
    if (swap := measured.swap) is not None:
        report |= {
            "swap.query": float(swap.query),
            "swap.higher": float(swap.higher),
            "swap.lower": float(swap.lower),
            "swap.reference_gap": swap.gap,
            "swap.gap": swap.ours[0] - swap.ours[1],
        }
    return report
