"""How many floating-point operations a token costs in a BERT; pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Shape:
    layers: int
    hidden: int
    intermediate: int

    @classmethod
    def read(cls, config: Path) -> Self:
        raw = json.loads(config.read_bytes())
        return cls(raw["num_hidden_layers"], raw["hidden_size"], raw["intermediate_size"])


def flops(shape: Shape, lengths: Sequence[int]) -> float:
    """Multiplications and additions of all products for rows of these lengths, padding left out.

    A layer has four products of hidden x hidden, two of hidden x intermediate, and two of a row
    with itself (queries with keys, weights with values).
    """
    tokens, squares = sum(lengths), sum(length * length for length in lengths)
    linear = 4 * shape.hidden**2 + 2 * shape.hidden * shape.intermediate
    return 2.0 * shape.layers * (tokens * linear + 2 * squares * shape.hidden)
