"""What a graph must show before it is written, by how exact its arithmetic can be."""

from dataclasses import dataclass
from typing import Literal

ErrorClass = Literal["exact", "half", "quantized"]


@dataclass(frozen=True)
class Standard:
    """Least values of a lossy precision's figures.

    `mean_tau` and `mean_overlap` are asked of the lower 95% bounds of the means over queries like
    the sample's, so that few queries make the gate harder to pass, never easier; `tau` and
    `overlap` of every single query, `cosine` of every single vector, and `active` of the active
    tokens of every single text.
    """

    mean_tau: float
    mean_overlap: float
    tau: float
    overlap: float
    cosine: float
    active: float


# float16 keeps 11 bits and bfloat16 8: an order may change only between passages that hardly
# differ. Quantized graphs trade order for speed; their figures stand just above what
# all-MiniLM-L6-v2 shows with every product in int8 (docs/export.md). No nDCG@10 was their ground.
STANDARDS: dict[ErrorClass, Standard] = {
    "half": Standard(
        mean_tau=0.98, mean_overlap=0.95, tau=0.95, overlap=0.8, cosine=0.999, active=0.95
    ),
    "quantized": Standard(
        mean_tau=0.9, mean_overlap=0.85, tau=0.75, overlap=0.6, cosine=0.95, active=0.75
    ),
}


def error_class(precision: str) -> Literal["half", "quantized"]:
    """By which standard a precision's ranking is judged against the float32 graph's.

    float32 in another engine is asked for what float16 is: its numbers the goldens hold.
    """
    return "half" if precision in {"fp32", "fp16", "bf16"} else "quantized"
