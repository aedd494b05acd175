"""A bundle proven again: its bytes, its goldens on this machine, and the gate where torch is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bicross.bundle import Bundle, open_bundle
from bicross.runtime import load_encoder, self_test
from bicross.runtime.engine import runnable_precisions


@dataclass(frozen=True)
class Finding:
    """What one precision showed on this machine."""

    precision: str
    figures: dict[str, float | str]


def check_bundle(path: Path, narrate: Callable[[str], None]) -> tuple[Bundle, list[Finding]]:
    """Every file verified, then every precision that runs here against the goldens.

    Raises `ManifestError` or `GoldenMismatch`.
    """
    narrate("verifying size and sha256 of every file")
    bundle = open_bundle(path)
    findings = []
    for precision in runnable_precisions(bundle.manifest):
        narrate(f"{precision}: golden outputs")
        found = self_test(load_encoder(bundle, precision), bundle)
        bound = bundle.goldens.bounds[precision]
        figures: dict[str, float | str] = {
            "max_abs_diff": found.max_abs_diff,
            "bound.max_abs_diff": bound.max_abs_diff,
            "min_kendall_tau": found.min_tau,
            "bound.min_kendall_tau": bound.min_tau,
        }
        findings.append(Finding(precision, figures))
    return bundle, findings
