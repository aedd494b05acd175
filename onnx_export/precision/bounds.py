"""How far a lossy precision may be from the goldens when loaded: what was measured, doubled."""

from bicross.bundle import Bound
from bicross.bundle.golden import PASSAGES
from bicross.runtime.hinted_bound import bf16_bound
from onnx_export.gate.measurement import Measurement
from onnx_export.gate.probes import Probes

# Another batch or another CPU may move the numbers further than those tried here.
MARGIN = 2
ONE_SWAP = 2 / (PASSAGES * (PASSAGES - 1) // 2)


def measured_bound(measured: Measurement, probes: Probes) -> Bound:
    """The goldens' texts are among the mixed ones, and were run alone and in company."""
    moved = max(value for (kind, _), value in measured.differences.items() if kind == "mixed")
    return Bound(
        max_abs_diff=max(probes.tolerance.value, MARGIN * moved),
        min_tau=max(-1.0, 1 - MARGIN * (1 - measured.golden_tau) - ONE_SWAP),
    )


def hinted_bound(probes: Probes) -> Bound:
    """For an engine that is not here, from the whole sample."""
    return bf16_bound(probes.tolerance.value, float(abs(probes.mixed.expected).max()))
