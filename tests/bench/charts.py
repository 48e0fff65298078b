"""Two kinds of plots as SVG: groups of bars, and the share of answers within a time.

Plots fit a page of some 700 pixels and have their own background, so that they are readable on a
dark page; text is text. The same figures give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 64, 52
INK, PALE, GROUND = "#24292f", "#d8dee4", "#ffffff"
COLOURS = ("#1f6feb", "#bc4c00", "#8250df", "#57606a")
"""Colours that are distinguishable without red and green, and in grey."""

Groups = Mapping[str, Mapping[str, float]]
"""By group, by series."""
Curves = Mapping[str, Sequence[tuple[float, float]]]
"""By series, points from left to right: milliseconds, and the share within them (0 to 1)."""


@dataclass(slots=True)
class _Drawing:
    title: str
    unit: str
    caption: str
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str = PALE) -> None:
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
        )

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "middle", size: int = 12
    ) -> None:
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
            f' fill="{INK}">{escape(words)}</text>'
        )

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' fill="{colour}"/>'
        )

    def path(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        coordinates = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(
            f'<polyline points="{coordinates}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )

    def legend(self, names: Sequence[str]) -> None:
        x = float(LEFT)
        for name, colour in zip(names, COLOURS, strict=False):
            self.box(x, 40, 12, 12, colour)
            self.text(x + 18, 50, name, anchor="start")
            x += 18 + 7.2 * len(name) + 22

    def svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            f' font-family="system-ui, sans-serif" role="img" aria-label="{escape(self.title)}">'
        )
        ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{GROUND}"/>'
        self.text(LEFT, 26, self.title, anchor="start", size=15)
        self.text(LEFT - 8, 50, self.unit, anchor="end", size=11)
        self.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, self.caption, size=11)
        return "\n".join([head, ground, *self.parts, "</svg>", ""])


def bars(title: str, groups: Groups, *, unit: str, caption: str) -> str:
    """Draw bars side by side in groups, each with its value; the axis begins at zero."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    top = max(value for group in groups.values() for value in group.values())
    drawing = _Drawing(title, unit, caption)
    drawing.legend(names)
    step = _round_step(top / 4)
    highest = ceil(top / step) * step
    for tick in range(round(highest / step) + 1):
        y = _height(tick * step / highest)
        drawing.line(LEFT, y, WIDTH - RIGHT, y)
        drawing.text(LEFT - 8, y + 4, f"{tick * step:g}", anchor="end")
    group_width = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(64.0, group_width * 0.8 / len(names))
    for place, (label, group) in enumerate(groups.items()):
        middle = LEFT + group_width * (place + 0.5)
        x = middle - width * len(group) / 2
        for name, value in group.items():
            y = _height(value / highest)
            drawing.box(x + 1, y, width - 2, HEIGHT - BOTTOM - y, COLOURS[names.index(name)])
            drawing.text(x + width / 2, y - 5, f"{value:.3g}", size=11)
            x += width
        drawing.text(middle, HEIGHT - BOTTOM + 18, label)
    drawing.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK)
    return drawing.svg()


def shares(title: str, curves: Curves) -> str:
    """Draw the share of answers within each time; the axis of time is logarithmic."""
    drawing = _Drawing(title, "%", "milliseconds")
    drawing.legend(list(curves))
    times = [time for points in curves.values() for time, _ in points]
    ticks = _ticks(min(times), max(times))
    low, high = log10(ticks[0]), log10(ticks[-1])
    for percent in (0, 25, 50, 75, 100):
        y = _height(percent / 100)
        drawing.line(LEFT, y, WIDTH - RIGHT, y)
        drawing.text(LEFT - 8, y + 4, f"{percent}", anchor="end")
    span = (WIDTH - LEFT - RIGHT) / (high - low)

    def across(time: float) -> float:
        return LEFT + (log10(time) - low) * span

    for time in ticks:
        drawing.line(across(time), TOP, across(time), HEIGHT - BOTTOM)
        drawing.text(across(time), HEIGHT - BOTTOM + 18, f"{time:,g}", size=11)
    for colour, points in zip(COLOURS, curves.values(), strict=False):
        drawing.path([(across(time), _height(share)) for time, share in points], colour)
    return drawing.svg()


def _height(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _ticks(least: float, most: float) -> list[float]:
    """Return 1, 2, 5 and their multiples by ten that cover the least and the greatest value."""
    decades = range(floor(log10(least)), ceil(log10(most)) + 1)
    found = [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    first = max(tick for tick in found if tick <= least)
    last = min(tick for tick in found if tick >= most)
    return [tick for tick in found if first <= tick <= last]


def _round_step(rough: float) -> float:
    """Return the next of 1, 2, 5 and their multiples by ten."""
    power = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
