"""The charts of dashboard and digest as SVG text: days of several series, bars of one, a line of a few letters. Pure.

What is drawn in a page takes its colours from there; for a mail they are given (see classifiers.charts, which draws
the axes). A place without a number is a gap, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, isfinite, log10

from classifiers.charts import PAGE, WIDTH, Axis, Colours, Line, cells, line_svg, svg, words

BY_DAY = Colours(("#1d5d8f", "#a8480f", "#5b6670"), ink="#4a545c", grid="#d3d8dc")
BY_NIGHT = Colours(("#8fc1ee", "#ffb072", "#aab4bb"), ink="#b7c0c7", grid="#46505a")

MARKS = 4  # along the upright axis, but for zero
DAYS_SHOWN = 7
_ROW, _BAR, _NUMBER = 42, 12, 72  # of a bar chart, in units: a row, the bar in it, the room for its number
_NAME_CELLS = 44  # of the name above a bar
_SPARK_WIDE, _SPARK_HIGH = 96, 24


def trend(
    title: str,
    days: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    unit: str,
    colours: Colours = PAGE,
) -> str:
    """A line for each series (name, one number for each of ``days``), none of them below zero; ``unit``: of all.

    As many days as there is room for are named, the last always.
    """
    top, marks = _scale(max((_most(values) for _, values in series), default=0))
    lines = [
        Line(name if number == 0 else "", colour, points, marks=True)
        for colour, (name, values) in enumerate(series, 1)
        for number, points in enumerate(_runs(values, top) or [[]])
    ]
    desc = "; ".join(f"{name}: {_listed(days, values, unit)}" for name, values in series)
    return line_svg(title, desc, Axis("", _named(days)), Axis(unit, marks), lines, colours)


def bars(title: str, rows: Sequence[tuple[str, float]], *, unit: str, colours: Colours = PAGE) -> str:
    """A bar for each row (name, number, none below zero) under its name, which may be long; ``unit``: of all."""
    top = max((value for _, value in rows), default=0) or 1
    drawn = []
    for number, (name, value) in enumerate(rows):
        y, wide = number * _ROW, (WIDTH - _NUMBER) * value / top
        drawn.append(
            f'<text x="0" y="{y + 16}" fill="{colours.ink}">{words(_cut(name))}</text>'
            f'<rect x="0" y="{y + 22}" width="{max(wide, 1):.1f}" height="{_BAR}" fill="{colours.lines[0]}"/>'
            f'<text x="{max(wide, 1) + 6:.1f}" y="{y + 33}" fill="{colours.ink}">{_number(value)}</text>'
        )
    desc = "; ".join(f"{name}: {_number(value)} {unit}" for name, value in rows)
    return svg(title, desc, max(len(rows), 1) * _ROW, "".join(drawn))


def spark(values: Sequence[float | None], *, colours: Colours = PAGE) -> str:
    """How numbers, none below zero, went, for beside the words that say so: who does not see it misses nothing."""
    top = _most(values) or 1
    drawn = []
    for run in _runs(values, top):
        at = [(2 + x * (_SPARK_WIDE - 4), _SPARK_HIGH - 3 - y * (_SPARK_HIGH - 6)) for x, y in run]
        drawn.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in at))
    lines = "".join(f'<polyline points="{points}"/>' for points in drawn if " " in points)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="1.5" fill="{colours.lines[0]}" stroke="none"/>'
        for x, y in (points.split(",") for points in drawn if " " not in points)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="spark" viewBox="0 0 {_SPARK_WIDE} {_SPARK_HIGH}"'
        f' width="{_SPARK_WIDE}" height="{_SPARK_HIGH}" aria-hidden="true" fill="none" stroke="{colours.lines[0]}"'
        f' stroke-width="2">{lines}{dots}</svg>'
    )


def _most(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None and isfinite(value)), default=0)


def _runs(values: Sequence[float | None], top: float) -> list[list[tuple[float, float]]]:
    """The points between gaps, on axes from 0 to 1."""
    last = max(len(values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is not None and isfinite(value):
            runs[-1].append((place / last, value / top))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _scale(most: float) -> tuple[float, list[tuple[float, str]]]:
    """A round number that ``most`` does not pass, and round numbers up to it with their places.

    Steps of 1, 2 or 5 times a power of ten, the smallest that needs no more than MARKS of them.
    """
    if most < 1e-6:  # nothing, on any chart of ours
        return 1.0, [(0.0, "0"), (1.0, "1")]
    step = next(step for step in _steps(most / MARKS) if step * MARKS >= most)
    count = next(count for count in range(1, MARKS + 1) if step * count >= most)
    return step * count, [(number / count, _short(step * number)) for number in range(count + 1)]


def _steps(least: float) -> Iterator[float]:
    power = floor(log10(least))
    for size in (power, power + 1):
        yield from (round(digit * 10.0**size, max(-size, 0)) for digit in (1, 2, 5))


def _named(days: Sequence[str]) -> list[tuple[float, str]]:
    every = -(-len(days) // DAYS_SHOWN) or 1
    last = len(days) - 1
    return [(place / max(last, 1), day) for place, day in enumerate(days) if (last - place) % every == 0]


def _listed(days: Sequence[str], values: Sequence[float | None], unit: str) -> str:
    said = (
        f"{day} {_number(value) if value is not None and isfinite(value) else '–'}"
        for day, value in zip(days, values, strict=True)
    )
    return f"{', '.join(said)} ({unit})"


def _number(value: float) -> str:
    return f"{value:,.10g}" if value == int(value) else f"{value:,.3g}"


def _short(value: float) -> str:
    """A number in the little room beside an axis."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if value >= size:
            return f"{value / (1000 if letter == 'k' else size):.4g}{letter}"
    return _number(value)


def _cut(name: str) -> str:
    """A name that fits above its bar."""
    if cells(name) <= _NAME_CELLS:
        return name
    kept = ""
    for letter in name:
        if cells(kept + letter) >= _NAME_CELLS:
            break
        kept += letter
    return f"{kept.rstrip()}…"
