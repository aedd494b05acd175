"""Lines over two logarithmic axes, as an SVG of a few kilobytes; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
# Dark enough on white, light enough on black, apart for the colour-blind (Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
GREY = "#888888"
FONT = "font-family='sans-serif' font-size='12'"


@dataclass(frozen=True)
class Line:
    """`points` are (x, y), both above 0."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high`, on the page from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = math.log(value / self.low) / (math.log(self.high / self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """The powers of ten within."""
        powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        return [10.0**power for power in powers]


def draw(title: str, x_title: str, y_title: str, lines: Sequence[Line]) -> str:
    """The SVG's text. At least one line with one point."""
    x = _axis([point[0] for line in lines for point in line.points], LEFT, WIDTH - RIGHT)
    y = _axis([point[1] for line in lines for point in line.points], HEIGHT - BOTTOM, TOP)
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}'>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>",
        _text(middle, 20, title),
        _text(middle, HEIGHT - 12, x_title),
        f"<g transform='translate(16 {HEIGHT / 2}) rotate(-90)'>{_text(0, 0, y_title)}</g>",
        *(_vertical(x.place(tick), tick) for tick in x.ticks()),
        *(_horizontal(y.place(tick), tick) for tick in y.ticks()),
    ]
    for number, line in enumerate(lines):
        parts.append(_curve(line, COLOURS[number % len(COLOURS)], x, y))
    return "\n".join([*parts, "</svg>", ""])


def _axis(values: Sequence[float], start: float, end: float) -> Axis:
    return Axis(min(values), max(values), start, end)


def _curve(line: Line, colour: str, x: Axis, y: Axis) -> str:
    places = [(x.place(point[0]), y.place(point[1])) for point in line.points]
    path = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
    dots = "".join(f"<circle cx='{a:.1f}' cy='{d:.1f}' r='3' fill='{colour}'/>" for a, d in places)
    end = places[-1]
    name = _text(end[0] + 8, end[1] + 4, line.name, anchor="start", colour=colour)
    return f"<polyline points='{path}' fill='none' stroke='{colour}'/>{dots}{name}"


def _vertical(across: float, tick: float) -> str:
    line = f"M{across:.1f} {TOP}V{HEIGHT - BOTTOM}"
    return _grid(line) + _text(across, HEIGHT - BOTTOM + 16, f"{tick:g}")


def _horizontal(down: float, tick: float) -> str:
    line = f"M{LEFT} {down:.1f}H{WIDTH - RIGHT}"
    return _grid(line) + _text(LEFT - 6, down + 4, f"{tick:g}", anchor="end")


def _grid(path: str) -> str:
    return f"<path d='{path}' stroke='{GREY}' stroke-opacity='0.3'/>"


def _text(
    across: float, down: float, text: str, *, anchor: str = "middle", colour: str = GREY
) -> str:
    place = f"x='{across:.1f}' y='{down:.1f}' text-anchor='{anchor}'"
    return f"<text {place} {FONT} fill='{colour}'>{escape(text)}</text>"
