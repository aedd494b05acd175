"""One line of the matrix: a model, how it is exported, and how its numbers are compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bicross.bundle import Bundle
from bicross.runtime.ranking.figures import Numbers, smallest_tau, widest_swap
from bicross.runtime.ranking.samples import Sample
from onnx_export.source.spec import Options
from onnx_export.tests.matrix.workshop import Workshop

# Of the largest score, some ten roundings of float32. Closer scores are a tie: the order in which a
# CPU sums decides it.
MAX_TIE = 1e-6


@dataclass(frozen=True)
class Agreement:
    """What the served bundle gave beside what sentence-transformers gave.

    `ours` and `reference` are scores [queries, passages]; `min_cosine` is that of the worst pair of
    corresponding outputs.
    """

    min_cosine: float
    ours: Numbers
    reference: Numbers

    @property
    def min_tau(self) -> float:
        return smallest_tau(self.ours, self.reference)

    @property
    def is_same_order(self) -> bool:
        """Whether only ties changed places."""
        swap = widest_swap(self.ours, self.reference)
        return swap is None or swap.gap <= MAX_TIE * float(np.abs(self.reference).max())

    @property
    def spread(self) -> float:
        """Of the reference's scores: the smallest range of one query against the largest score."""
        ranges = self.reference.max(axis=1) - self.reference.min(axis=1)
        return float(ranges.min() / np.abs(self.reference).max())


# The model's folder, its bundle, the texts, the precision.
Compare = Callable[[Path, Bundle, Sample, str], Agreement]


@dataclass(frozen=True)
class Row:
    """`build` writes the model's folder, once; `head` says what follows the architecture.

    `precisions` are those beside fp32 that the whole matrix tries, None for all; a gate may refuse
    them. `is_daily` rows run in the ordinary suite, where each architecture and each head is proven
    once.
    """

    id: str
    architecture: str
    head: str
    build: Callable[[Workshop], Path]
    compare: Compare
    options: Options = field(default_factory=Options)
    precisions: tuple[str, ...] | None = None
    is_daily: bool = True
