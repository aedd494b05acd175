"""Every pair of library and precision that is compared in one process each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.serving.passages import ROOT

BASELINE = "torch fp32"
FASTEMBED = ROOT / ".venv-fastembed" / "bin" / "python"


@dataclass(frozen=True)
class Variant:
    """`computes` names what decides the numbers: variants that share it are judged once.

    `needs` are flags of the CPU without which the precision is emulated, slower than float32.
    """

    name: str
    module: str
    computes: str
    options: dict[str, Any] = field(default_factory=dict)
    python: Path = ROOT / ".venv" / "bin" / "python"
    needs: frozenset[str] = frozenset()


BF16 = frozenset({"avx512_bf16", "amx_bf16"})


def _runtime(engine: str, precision: str, streams: int, budget: int) -> Variant:
    plural = "s" * (streams > 1)
    return Variant(
        f"bicross, {engine} {precision}, {streams} stream{plural}, {budget} tokens",
        "runtime",
        f"{engine} {precision}",
        {"engine": engine, "precision": precision, "streams": streams, "token_budget": budget},
        needs=BF16 if precision == "bf16" else frozenset(),
    )


VARIANTS = (
    Variant(BASELINE, "original", "torch fp32", {"precision": "fp32"}),
    Variant("torch bf16", "original", "torch bf16", {"precision": "bf16"}, needs=BF16),
    Variant("onnxruntime, 32s as they arrive", "naive", "onnxruntime fp32"),
    Variant("fastembed, 32s as they arrive", "fastembed_cpu", "fastembed", python=FASTEMBED),
    _runtime("onnxruntime", "fp32", 1, 512),
    _runtime("onnxruntime", "fp32", 1, 2048),
    _runtime("onnxruntime", "fp32", 2, 256),
    _runtime("onnxruntime", "fp32", 2, 512),
    _runtime("openvino", "fp32", 1, 512),
    _runtime("openvino", "fp32", 2, 512),
    _runtime("openvino", "fp32", 2, 2048),
    _runtime("openvino", "bf16", 2, 512),
    _runtime("openvino", "bf16", 2, 2048),
)


def choose(names: Collection[str], flags: Collection[str]) -> tuple[list[Variant], dict[str, str]]:
    """What is measured, and why the others are not.

    With `names` every variant whose name holds one of them, whatever the CPU can; the baseline
    always.
    """
    chosen, left_out = [], {}
    for variant in VARIANTS:
        if not variant.python.exists():
            left_out[variant.name] = "not installed; see benchmarks/README.md"
        elif variant.name == BASELINE or any(name in variant.name for name in names):
            chosen.append(variant)
        elif names:
            left_out[variant.name] = "not asked for"
        elif variant.needs and not variant.needs.intersection(flags):
            left_out[variant.name] = f"this CPU has none of {', '.join(sorted(variant.needs))}"
        else:
            chosen.append(variant)
    return chosen, left_out
