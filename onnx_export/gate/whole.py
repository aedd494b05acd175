"""What a model that was cut to its first layers lost: its ranking beside the whole model's."""

from bicross.runtime.ranking.figures import overlaps, taus
from onnx_export.gate.failure import Figures
from onnx_export.gate.measurement import TOP
from onnx_export.gate.probes import Probes, reference_scores
from onnx_export.reference.loading import Reference


def compare_with_whole(reference: Reference, probes: Probes) -> Figures:
    """Figures without bounds, in torch on both sides; none where every layer was kept.

    The graph is held to the cut model. Whether that ranks well enough is for its user to judge.
    """
    cut = reference.layer_cut
    if cut is None:
        return {}
    with cut.undone():
        whole = reference_scores(reference, probes)
    tau, overlap = taus(probes.scores, whole), overlaps(probes.scores, whole, TOP, 0.0)
    return {
        "whole.layers": float(cut.whole),
        "whole.min_kendall_tau": float(tau.min()),
        "whole.mean_kendall_tau": float(tau.mean()),
        f"whole.min_top{TOP}_overlap": float(overlap.min()),
        f"whole.mean_top{TOP}_overlap": float(overlap.mean()),
    }
