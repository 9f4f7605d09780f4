"""Widgets that are drawn line by line: the bars of a screen, and a text that scrolls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from alerts.triage import colours
from alerts.triage.cells import Line, fit_line


def strip(widget: Widget, line: Line, cells: int, ground: str = "base") -> Strip:
    """A line exactly so many cells wide."""
    segments = [Segment(text, style(widget, role, ground)) for text, role in fit_line(line, cells) if text]
    return Strip(segments, cells)


def style(widget: Widget, role: str, ground: str) -> Style:
    """How a role is painted in the theme in use."""
    return colours.style(widget.app.theme, role, ground, colour=not widget.app.no_color)


class Bar(Widget, can_focus=False):
    """Lines at an edge of the screen, made anew by ``make`` for the width there is; without any it is not there."""

    DEFAULT_CSS = "Bar { height: auto; width: 1fr; }"

    def __init__(self, make: Callable[[int], Sequence[Line]], ground: str = "bar", *, id: str) -> None:
        super().__init__(id=id)
        self._make, self._ground = make, ground
        self._lines: list[Line] = []

    def look(self) -> None:
        """Draw it again if it says something else now."""
        lines = list(self._make(self.size.width)) if self.size.width else []
        if lines == self._lines:
            return
        taller = len(lines) != len(self._lines)
        self._lines = lines
        self.refresh(layout=taller)

    def repaint(self) -> None:
        """Draw it again whatever it says."""
        self._lines = []
        self.look()
        self.refresh(layout=True)

    def on_resize(self) -> None:
        """Another width has room for other words."""
        self.look()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there are."""
        self._lines = list(self._make(width))
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One of them."""
        return strip(self, self._lines[y] if y < len(self._lines) else [], self.size.width, self._ground)


class Reader(ScrollView, can_focus=True):
    """A text that scrolls; its lines are made for the width there is."""

    DEFAULT_CSS = "Reader { width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: scroll; }"
    BINDINGS = [  # noqa: RUF012 - as Textual wants it
        ("up,k", "scroll_up"),
        ("down,j", "scroll_down"),
        ("pageup", "page_up"),
        ("pagedown,space", "page_down"),
        ("home,g", "scroll_home"),
        ("end,G", "scroll_end"),
    ]

    def __init__(self, make: Callable[[int], Sequence[Line]], *, id: str, focusable: bool = True) -> None:
        super().__init__(id=id)
        self._make = make
        self._lines: list[Line] = []
        self._cells = -1
        self.can_focus = focusable

    def look(self) -> None:
        """Make the lines anew, and stay where the reader was."""
        self._cells = self.scrollable_content_region.width
        if self._cells <= 0:
            return
        self._lines = list(self._make(self._cells))
        self.virtual_size = Size(self._cells, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        """Another width is wrapped otherwise."""
        if self.scrollable_content_region.width != self._cells:
            self.look()

    def line_at(self, y: int) -> str:
        """The words of a line, for tests and for copying."""
        return "".join(text for text, _ in self._lines[y])

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        at = y + self.scroll_offset.y
        cells = self.scrollable_content_region.width
        return strip(self, self._lines[at] if at < len(self._lines) else [], cells)
