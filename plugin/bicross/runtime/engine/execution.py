"""How a bundle's graphs are run."""

from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from bicross.errors import UsageError
from bicross.runtime.engine.threads import available_threads

EngineName = Literal["onnxruntime", "openvino", "onnxruntime-cuda", "onnxruntime-tensorrt"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


@dataclass(frozen=True)
class Execution:
    """Engine and precision decide the numbers; the rest decides only how fast they come.

    `threads` are those of all streams together, by default the cores available. So many `streams`
    run side by side, each with one thread at least; where there is a `spare`, one run more begins
    at once while all are busy. It costs OpenVINO the weights once more, and there a run that is
    alone has all threads. Batches are made as wide as a multiple of `pad_to` tokens, so that an
    engine which prepares itself for each width meets fewer.

    Raises `UsageError` for an engine that there is not and for counts below 1.
    """

    engine: str = "onnxruntime"
    precision: str = "fp32"
    threads: int | None = None
    streams: int = 1
    pad_to: int = 1
    spare: bool = False

    def __post_init__(self) -> None:
        if not is_engine(self.engine):
            raise UsageError(
                f"there is no engine {self.engine!r}; allowed are {', '.join(ENGINES)}"
            )
        counts = {"threads": self.threads, "streams": self.streams, "pad_to": self.pad_to}
        for name, count in counts.items():
            if count is not None and count < 1:
                raise UsageError(f"{name} is {count}; it must be 1 or more")

    @property
    def all_threads(self) -> int:
        """Of all streams together."""
        return max(self.threads or available_threads(), self.streams)

    def width(self, longest: int, most: int) -> int:
        """Tokens a row of a batch has whose longest row has `longest`; a row may have `most`."""
        padded = -(-longest // self.pad_to) * self.pad_to
        return max(longest, min(padded, most))


def is_engine(name: str) -> TypeGuard[EngineName]:
    return name in ENGINES
