"""Which precisions there are, and how exact each can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bicross.errors import UsageError
from bicross.runtime.ranking.standards import ErrorClass

BASIS = "fp32"


@dataclass(frozen=True)
class Precision:
    """With `hint` no file is written: an engine computes the float32 graph that way."""

    meaning: str
    error_class: ErrorClass
    hint: Literal["bf16"] | None = None


PRECISIONS = {
    "fp16": Precision("weights and arithmetic in float16", "half"),
    "bf16": Precision("a hint to OpenVINO, no file", "half", hint="bf16"),
    "int8": Precision("8-bit weights, activations scaled at run time", "quantized"),
    "int8_static": Precision("8-bit weights, activations scaled by the sample", "quantized"),
    "int8_weight": Precision("8-bit weights, float32 arithmetic", "quantized"),
    "int4_weight": Precision("4-bit weights, float32 arithmetic", "quantized"),
}


def read_precisions(names: Sequence[str]) -> tuple[str, ...]:
    """Each once, in the order given; fp32 is always there and may be named.

    Raises `UsageError`, listing what is allowed.
    """
    for name in names:
        if name != BASIS and name not in PRECISIONS:
            raise UsageError(
                f"--precision {name} is unknown; allowed are {', '.join((BASIS, *PRECISIONS))}"
            )
    return tuple(dict.fromkeys(name for name in names if name != BASIS))
