"""Small charts as inline SVG without script, style or anything remote: lines over two axes, and bars. Pure.

Colours are attributes, which a page's policy lets pass, and come from the page's own variables, so that a chart is
right by day and by night. A program that knows no variables, such as one that draws for a mail, is given `Colours`.
A line is told from another by its dashes too, so no eye depends on the colour; ``<desc>`` says the numbers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from monitor.invisible import safe

WIDTH, HEIGHT = 360, 234  # without the legend
LETTERS = 14  # their height in units: a telephone of 360 pixels shows a unit as 0.91 of one
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 20, 28, 42  # margins
_DASHES = ("", "7 4", "2 3")  # of the lines in turn
_LEGEND_ROW, _LEGEND_CELLS = 20, 19  # height of a row in units, and how wide a name may be to share one

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Colours:
    """What a chart is painted with: the lines in turn, words, and the grid."""

    lines: tuple[str, str, str] = ("var(--c1)", "var(--c2)", "var(--c3)")
    ink: str = "var(--soft)"
    grid: str = "var(--grid)"


PAGE = Colours()


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: its name, and the words that stand along it, each with its place from 0 to 1."""

    name: str
    marks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, its number among the colours from 1 on, its points, each axis from 0 to 1."""

    name: str
    colour: int
    points: Sequence[Point]
    marks: bool = False  # a dot at each point
    dashed: bool = False


def line_chart(title: str, across: str, up: str, lines: Sequence[Line]) -> str:
    """Lines over a grid as a figure; ``across`` and ``up`` name the axes, which run from 0 to 1."""
    return _figure(title, line_svg(title, "", share_axis(across), share_axis(up), lines))


def bar_chart(title: str, across: str, up: str, series: Sequence[tuple[str, int, Sequence[float]]]) -> str:
    """Bars of several series (name, colour, one height for each equal part of the axis) side by side, as a figure."""
    parts = len(series[0][2])
    wide = (WIDTH - _LEFT - _RIGHT) / parts / (len(series) + 0.5)
    drawn = []
    for number, (_, colour, heights) in enumerate(series):
        for part, height in enumerate(heights):
            left, top = _x(part / parts) + (number + 0.25) * wide, _y(height)
            drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_y(0) - top:.1f}"'
                f' fill="{_of(PAGE, colour)}"/>'
            )
    frame = _frame(share_axis(across), share_axis(up), PAGE)
    legend, height = _legend([(name, _of(PAGE, colour), None) for name, colour, _ in series], PAGE)
    return _figure(title, svg(title, "", HEIGHT + height, frame + "".join(drawn) + legend))


def line_svg(title: str, desc: str, across: Axis, up: Axis, lines: Sequence[Line], colours: Colours = PAGE) -> str:
    """Lines over a grid, with a legend for those that have a name."""
    drawn, names = [], []
    for line in lines:
        colour = _of(colours, line.colour)
        dashes = "4 4" if line.dashed else _DASHES[(line.colour - 1) % len(_DASHES)]
        if len(line.points) > 1:
            points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line.points)
            drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{_dash(dashes)}/>')
        if line.marks or len(line.points) == 1:
            drawn += [f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3" fill="{colour}"/>' for x, y in line.points]
        if line.name:
            names.append((line.name, colour, dashes))
    legend, height = _legend(names, colours)
    return svg(title, desc, HEIGHT + height, _frame(across, up, colours) + "".join(drawn) + legend)


def svg(title: str, desc: str, height: float, drawn: str) -> str:
    """What was drawn on WIDTH by ``height`` units as one picture; title and words are for who does not see it."""
    said = f"<title>{words(title)}</title>" + (f"<desc>{words(desc)}</desc>" if desc else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img"'
        f' font-family="sans-serif" font-size="{LETTERS}">{said}{drawn}</svg>'
    )


def words(text: str) -> str:
    """Words for a picture: escaped, without what no XML may hold."""
    return escape(safe(text))


def cells(text: str) -> int:
    """How wide a text is, in Latin letters; one of Chinese takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def share_axis(name: str) -> Axis:
    """An axis of shares, from 0 to 1."""
    return Axis(name, [(mark, f"{mark:g}") for mark in (0, 0.25, 0.5, 0.75, 1)])


def _figure(title: str, drawn: str) -> str:
    return f"<figure><figcaption>{words(title)}</figcaption>{drawn}</figure>"


def _frame(across: Axis, up: Axis, colours: Colours) -> str:
    """Grid and words of both axes. The name of the upright one stands above it, where it can be read."""
    grid = "".join(f"M{_x(0)} {_y(at):.1f}H{_x(1)}" for at, _ in up.marks)
    ticks = "".join(f"M{_x(at):.1f} {_y(0)}v4" for at, _ in across.marks)
    side = "".join(_text(_x(0) - 6, _y(at) + 5, "end", said, colours) for at, said in up.marks)
    foot = "".join(_text(_x(at), _y(0) + 19, "middle", said, colours) for at, said in across.marks)
    names = _text(2, 14, "start", up.name, colours) + _text(_x(0.5), HEIGHT - 4, "middle", across.name, colours)
    return f'<path d="{grid}{ticks}" fill="none" stroke="{colours.grid}"/>{side}{foot}{names}'


def _legend(names: Sequence[tuple[str, str, str | None]], colours: Colours) -> tuple[str, float]:
    """A sample and a name for each (name, colour, dashes; None: a filled square), two in a row where they fit."""
    row = 2 if all(cells(name) <= _LEGEND_CELLS for name, _, _ in names) else 1
    drawn = []
    for number, (name, colour, dashes) in enumerate(names):
        left, top = 8 + (number % row) * WIDTH / 2, HEIGHT + 4 + number // row * _LEGEND_ROW
        if dashes is None:
            drawn.append(f'<rect x="{left + 5:g}" y="{top}" width="12" height="12" fill="{colour}"/>')
        else:
            drawn.append(f'<path d="M{left:g} {top + 6}h22" stroke="{colour}" stroke-width="2"{_dash(dashes)}/>')
        drawn.append(_text(left + 28, top + 11, "start", name, colours))
    return "".join(drawn), -(-len(names) // row) * _LEGEND_ROW + 2 if names else 0


def _text(x: float, y: float, anchor: str, said: str, colours: Colours) -> str:
    if not said:
        return ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colours.ink}">{words(said)}</text>'


def _dash(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _of(colours: Colours, number: int) -> str:
    return colours.lines[(number - 1) % len(colours.lines)]


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)
