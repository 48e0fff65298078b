"""Column charts as SVG. The same numbers give the same bytes.

A chart has a title and a description for readers that do not see it, and it stands beside a table
with the same numbers. Colours are attributes, so the policy of the page needs no exception for
them, and a column differs from the page in grey as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from markupsafe import Markup

WIDTH: Final = 720
HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 8, 14, 30
_INK, _PALE, _COLUMN, _HIDDEN = "#1b1f24", "#d0d7de", "#1f5fa8", "#6e7781"
_GRID_LINES: Final = 4

HIDDEN_SIGN: Final = "•"
"""The sign of a hidden number, in charts and tables."""

_TEXT: Final = Markup(
    '<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{ink}">{words}</text>'
)
_RECTANGLE: Final = Markup(
    '<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'
)
_LINE: Final = Markup('<line x1="{x1}" y1="{y}" x2="{x2}" y2="{y}" stroke="{ink}"/>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its label, its number as a size and as text; a size of None is hidden."""

    label: str
    size: int | None
    text: str


def draw_columns(
    columns: Sequence[Column], *, identifier: str, title: str, description: str
) -> Markup:
    """Return a chart. `identifier` is unique in the page."""
    sizes = [each.size for each in columns if each.size is not None]
    top = _nice_limit(max(sizes, default=0))
    parts = [*_grid(top), *_columns(columns, top)]
    return Markup(
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-text"'
        ' font-family="Makul, DejaVu Sans, Noto Sans, Arial, sans-serif">'
        '<title id="{name}-title">{title}</title><desc id="{name}-text">{description}</desc>'
        "{parts}</svg>"
    ).format(
        width=WIDTH,
        height=HEIGHT,
        name=identifier,
        title=title,
        description=description,
        parts=Markup("").join(parts),
    )


def _nice_limit(largest: int) -> int:
    """Return the top of the scale: a number that four lines divide well."""
    if largest <= _GRID_LINES:
        return _GRID_LINES
    step = largest / _GRID_LINES
    unit = int(10 ** floor(log10(step)))
    factors = (1, 2, 5, 10) if unit == 1 else (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    factor = next(each for each in factors if each * unit >= step)
    return ceil(factor * unit) * _GRID_LINES


def _grid(top: int) -> list[Markup]:
    parts = []
    for number in range(_GRID_LINES + 1):
        y = _height_at(top * number // _GRID_LINES, top)
        ink = _INK if number == 0 else _PALE
        parts.append(_LINE.format(x1=_LEFT, x2=WIDTH - _RIGHT, y=y, ink=ink))
        words = f"{top * number // _GRID_LINES:,}".replace(",", "\N{NO-BREAK SPACE}")
        parts.append(_text(_LEFT - 6, y + 4, words, anchor="end"))
    return parts


def _columns(columns: Sequence[Column], top: int) -> list[Markup]:
    parts = []
    room = (WIDTH - _LEFT - _RIGHT) / max(len(columns), 1)
    width = min(room * 0.72, 48)
    is_roomy = room >= 44
    for number, each in enumerate(columns):
        middle = _LEFT + room * (number + 0.5)
        parts.append(_text(middle, HEIGHT - _BOTTOM + 16, each.label))
        if each.size is None:
            parts.append(_text(middle, HEIGHT - _BOTTOM - 4, HIDDEN_SIGN, ink=_HIDDEN, size=14))
            continue
        y = _height_at(each.size, top)
        parts.append(
            _RECTANGLE.format(
                x=_number(middle - width / 2),
                y=_number(y),
                width=_number(width),
                height=_number(HEIGHT - _BOTTOM - y),
                fill=_COLUMN,
            )
        )
        if is_roomy:
            parts.append(_text(middle, y - 3, each.text))
    return parts


def _height_at(size: int, top: int) -> float:
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * size / top, 1)


def _text(
    x: float, y: float, words: str, *, anchor: str = "middle", size: int = 10, ink: str = _INK
) -> Markup:
    return _TEXT.format(x=_number(x), y=_number(y), words=words, anchor=anchor, size=size, ink=ink)


def _number(value: float) -> str:
    return f"{value:.1f}"


def draw_bar(size: int | None, largest: int) -> Markup:
    """Return the bar of a row of a table. The row has its number, so it has no text of its own."""
    if size is None:
        return Markup("")
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{width}" height="8" fill="{fill}"/></svg>'
    ).format(width=_number(100 * size / largest), fill=_COLUMN)
