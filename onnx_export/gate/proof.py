"""The float32 graph of a bundle run through the gate."""

from collections.abc import Callable

from bicross.bundle import Bundle
from bicross.runtime import load_encoder
from onnx_export.gate.failure import Figures
from onnx_export.gate.measurement import Measurement, measure
from onnx_export.gate.parity import require_parity
from onnx_export.gate.probes import Probes

Narrate = Callable[[str], None]


def prove(bundle: Bundle, probes: Probes, narrate: Narrate) -> tuple[Measurement, Figures]:
    """What was measured of `bundle`, and the gate's figures for it; raises `GateFailed`."""
    measured = measure(load_encoder(bundle, "fp32"), probes, narrate)
    return measured, require_parity(measured, probes, f"{bundle.manifest.name}, fp32")
