"""What can be measured: a library that has the two models loaded. Imports nothing but numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float32]


class Engine(Protocol):
    """Both start from texts: tokenising is part of the time."""

    def encode(self, texts: Sequence[str]) -> Numbers:
        """Unit vectors, [len(texts), dimensions]."""
        ...

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        """What orders the passages, higher first, [len(passages)]."""
        ...


@dataclass(frozen=True)
class Paths:
    """Of one model; see `models.Model`."""

    folder: Path
    bundle: Path
    plain: Path

    @classmethod
    def of(cls, told: dict[str, str]) -> "Paths":
        return cls(**{name: Path(path) for name, path in told.items()})


@dataclass(frozen=True)
class Load:
    """What to load: `cross` of the two cross-encoders, on `threads` threads in all.

    `options` are the variant's own: precision, streams, token_budget.
    """

    bi: Paths
    cross: Paths
    threads: int
    options: dict[str, Any]
