"""One precision of a bundle run through the gate."""

from collections.abc import Callable

from bicross.bundle import Bundle
from bicross.runtime import load_encoder
from bicross.runtime.ranking.standards import ErrorClass
from onnx_export.gate.failure import Figures
from onnx_export.gate.measurement import Measurement, measure
from onnx_export.gate.parity import require_parity
from onnx_export.gate.probes import Probes

Narrate = Callable[[str], None]


def prove(
    bundle: Bundle,
    probes: Probes,
    narrate: Narrate,
    precision: str = "fp32",
    error_class: ErrorClass = "exact",
) -> Figures:
    """The gate's figures for `bundle`; raises `GateFailed`."""
    return prove_measured(bundle, probes, narrate, precision, error_class)[1]


def prove_measured(
    bundle: Bundle, probes: Probes, narrate: Narrate, precision: str, error_class: ErrorClass
) -> tuple[Measurement, Figures]:
    measured = measure(load_encoder(bundle, precision), probes, narrate)
    who = f"{bundle.manifest.name}, {precision}"
    return measured, require_parity(measured, probes, who, error_class)
