"""Small charts as inline SVG without script or anything remote: lines, and bars side by side. Pure.

Colours come from the page (``--c1`` to ``--c3``, ``--ink``, ``--grid``), so that a chart is right by day and by night.
Both axes run from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 10, 10, 40  # margins

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, its number among the page's colours, its points from left to right."""

    name: str
    colour: int
    points: Sequence[Point]
    marks: bool = False  # a dot at each point
    dashed: bool = False


def line_chart(title: str, across: str, up: str, lines: Sequence[Line]) -> str:
    """Lines over a grid; ``across`` and ``up`` name the axes."""
    drawn = []
    for line in lines:
        points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line.points)
        style = f"stroke:var(--c{line.colour})" + (";stroke-dasharray:4 4" if line.dashed else "")
        drawn.append(f'<polyline points="{points}" fill="none" stroke-width="2" style="{style}"/>')
        if line.marks:
            drawn += [
                f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3.5" style="fill:var(--c{line.colour})"/>'
                for x, y in line.points
            ]
    names = [(line.name, line.colour) for line in lines if line.name]
    return _figure(title, across, up, "".join(drawn), names)


def bar_chart(title: str, across: str, up: str, series: Sequence[tuple[str, int, Sequence[float]]]) -> str:
    """Bars of several series (name, colour, one height for each equal part of the axis) side by side."""
    parts = len(series[0][2])
    wide = (WIDTH - _LEFT - _RIGHT) / parts / (len(series) + 0.5)
    drawn = []
    for number, (_, colour, heights) in enumerate(series):
        for part, height in enumerate(heights):
            left, top = _x(part / parts) + (number + 0.25) * wide, _y(height)
            drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_y(0) - top:.1f}"'
                f' style="fill:var(--c{colour})"/>'
            )
    return _figure(title, across, up, "".join(drawn), [(name, colour) for name, colour, _ in series])


def _figure(title: str, across: str, up: str, drawn: str, names: Sequence[tuple[str, int]]) -> str:
    ticks = [0, 0.25, 0.5, 0.75, 1]
    grid = "".join(
        f'<path d="M{_x(0)} {_y(t)}H{_x(1)}M{_x(t)} {_y(0)}V{_y(1)}" style="stroke:var(--grid)"/>'
        f'<text x="{_x(0) - 5}" y="{_y(t) + 4}" text-anchor="end">{t:g}</text>'
        f'<text x="{_x(t)}" y="{_y(0) + 15}" text-anchor="middle">{t:g}</text>'
        for t in ticks
    )
    axes = (
        f'<text x="{_x(0.5)}" y="{HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(11 {_y(0.5)}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
    )
    legend = "".join(
        f'<span><i style="background:var(--c{colour})"></i>{escape(name)}</span>' for name, colour in names
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">{grid}{axes}{drawn}</svg><p class="legend">{legend}</p></figure>'
    )


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)
