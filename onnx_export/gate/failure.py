"""A figure that falls short, told with the case that shows it worst."""

from dataclasses import dataclass

from bicross.errors import GateFailed
from bicross.runtime.ranking.figures import Swap
from bicross.runtime.ranking.samples import Sample, shortened
from onnx_export.gate.measurement import Measurement

Figures = dict[str, float | str]


@dataclass(frozen=True)
class GateFigure:
    """A figure and its bound, the least value allowed unless `at_most`."""

    name: str
    value: float
    bound: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound


def refuse(who: str, figure: GateFigure, measured: Measurement, sample: Sample) -> GateFailed:
    """The error, whose `case` holds texts of the sample: for a terminal, never for a log."""
    kind, size = measured.worst_batches
    where = f" ({kind} inputs in batches of {size})" if figure.name == "max_abs_diff" else ""
    digits = 3 if figure.at_most else 6
    return GateFailed(
        f"{who}: {figure.name} is {figure.value:.{digits}g}{where}, allowed is "
        f"{'at most' if figure.at_most else 'at least'} {figure.bound:.{digits}g}",
        case="" if measured.swap is None else swap_in_words(measured.swap, sample),
    )


def swap_in_words(swap: Swap, sample: Sample) -> str:
    """Query and passages with their scores, long texts cut."""
    return (
        f"worst swap: query {shortened(sample.queries[swap.query])}\n"
        f"  {swap.reference[0]:.6g} in torch, {swap.ours[0]:.6g} here: "
        f"{shortened(sample.passages[swap.higher])}\n"
        f"  {swap.reference[1]:.6g} in torch, {swap.ours[1]:.6g} here: "
        f"{shortened(sample.passages[swap.lower])}"
    )
