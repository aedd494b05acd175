"""What the encoders of all tasks have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from bicross.bundle import Bundle
from bicross.runtime.engine import Execution


@dataclass(frozen=True)
class BundleEncoder(ABC):
    """A bundle, loaded. As many threads may call `run` at once as `execution` says."""

    bundle: Bundle
    execution: Execution

    @classmethod
    @abstractmethod
    def open(cls, bundle: Bundle, execution: Execution) -> Self:
        """A working encoder, or a `BundleError`, a `UsageError` for a precision or engine that
        there is not, or an `EnvironmentProblem` where this machine lacks the engine.
        """

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        precision: str = "fp32",
        threads: int | None = None,
        *,
        engine: str = "onnxruntime",
        streams: int = 1,
    ) -> Self:
        """As `open`. `threads` are those of all streams, by default the cores available."""
        return cls.open(bundle, Execution(engine, precision, threads, streams))

    @property
    def precision(self) -> str:
        return self.execution.precision

    @property
    def engine(self) -> str:
        return self.execution.engine

    @property
    def streams(self) -> int:
        return self.execution.streams
