"""Which of the measured pairs a deployment should take; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

BASIS = ("onnxruntime", "fp32")
# Medians of interleaved rounds on a busy machine differ by so much for one and the same setting.
NOISE = 0.05


@dataclass(frozen=True, order=True)
class Pair:
    """Engine and precision: vectors of another pair are other vectors."""

    engine: str
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"

    @property
    def simplicity(self) -> tuple[bool, bool, str, str]:
        """The smaller, the simpler: float32 before others, then onnxruntime before others."""
        return (self.precision != BASIS[1], self.engine != BASIS[0], self.engine, self.precision)


@dataclass(frozen=True)
class Setting:
    """How a pair is run: streams, the threads of all of them, padded tokens of a batch, and the
    multiple of tokens to which a batch is padded.
    """

    streams: int = 1
    threads: int = 1
    batch_tokens: int = 512
    pad_to: int = 1

    @property
    def simplicity(self) -> tuple[bool, int, int, int]:
        """The smaller, the simpler: what serves without tuning before all others."""
        usual = self == untuned(self.threads)
        return (not usual, self.pad_to, self.streams, self.batch_tokens)


def untuned(threads: int) -> Setting:
    """What serves where nothing was measured. Two runs side by side wait less for each other's
    threads than one run's threads do: on two cores they did 1.3 times the work of one.
    """
    return Setting(streams=min(2, threads), threads=threads)


@dataclass(frozen=True)
class Speed:
    """`tokens_per_s` counts text, not padding."""

    pair: Pair
    setting: Setting
    tokens_per_s: float


def fastest(speeds: Sequence[Speed], noise: float = NOISE) -> Speed:
    """The simplest of those within `noise` of the fastest, and of equals the faster.

    At least one of `speeds`.
    """
    most = max(speed.tokens_per_s for speed in speeds)
    near = [speed for speed in speeds if speed.tokens_per_s >= most * (1 - noise)]
    return min(
        near, key=lambda each: (each.pair.simplicity, each.setting.simplicity, -each.tokens_per_s)
    )
