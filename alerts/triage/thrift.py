"""What is drawn goes to the terminal cell by cell, and only what is not there already: lines are slow.

Textual sends whole regions anew, each piece with all its colours: a dialog is 60 to 150 kB on 120x40, ten seconds and
more of a modem's line. ``Thrift`` keeps what the terminal shows, as curses does, and passes on what changes of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from alerts.triage.cells import width

_TOKEN = re.compile(
    r"\x1b\[(?P<line>\d+);(?P<column>\d+)H"
    r"|\x1b\[(?P<style>[\d;]*)m"
    r"|(?P<newline>\r?\n)"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<other>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[^@-~]*[@-~]|.)",
    re.DOTALL,
)
_SCREEN = re.compile(r"\x1b\[\?1049[hl]|\x1b\[\d?J|\x1bc")  # what it showed is gone
_PARTS = re.compile(r"[34]8;2;\d+;\d+;\d+|[34]8;5;\d+|\d+")
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))  # lines under, through and over, and reverse
_COLOURS = {"3": "38", "9": "38", "4": "48", "10": "48"}  # by the first digits of a colour by number
# What ends each: colours and attributes of ECMA-48, of which bold and faint end together.
_OFF = {"38": "39", "48": "49", "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
_OFF |= {"21": "24", "53": "55"}
_UNKNOWN = ("\x00", "")  # as no cell is

Cell = tuple[str, str]  # a character with its marks, nothing for the right half of a wide one; and its style


class Thrift:
    """What a terminal of one size shows, as far as it is known."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self.forget()

    def forget(self) -> None:
        """Whatever the terminal shows: all that is drawn next is sent."""
        columns, lines = self._size
        self._rows: list[list[Cell]] = [[_UNKNOWN] * columns for _ in range(lines)]
        self._place: tuple[int, int] | None = None  # of the terminal's cursor, column and line from 0
        self._style: str | None = None

    def spare(self, data: str, size: tuple[int, int]) -> str:
        """What of ``data`` a terminal of ``size`` (columns, lines) has to be sent. Anything but cells goes through."""
        if size != self._size:
            self._size = size
            self.forget()
        out: list[str] = []
        x = y = 0
        style = ""
        moved = False
        for token in _TOKEN.finditer(data):
            match token.lastgroup:
                case "column":
                    x, y, moved = int(token["column"]) - 1, int(token["line"]) - 1, True
                case "style":
                    style = "" if token["style"] in ("", "0") else token["style"]
                case "newline":  # what follows says where it goes
                    y += 1
                case "text":
                    cells = _cells(token["text"], style)
                    self._draw(out, x, y, cells)
                    x += len(cells)
                case _:
                    out.append(token["other"])
                    if _SCREEN.fullmatch(token["other"]):
                        self.forget()
        if moved and (x, y) != self._place:
            self._move(out, x, y)
        return "".join(out)

    def _draw(self, out: list[str], x: int, y: int, cells: list[Cell]) -> None:
        columns, lines = self._size
        if not 0 <= y < lines or x >= columns:
            return
        row = self._rows[y]
        cells = cells[: columns - x]
        if cells and cells[-1][0] and x + len(cells) == columns and width(cells[-1][0]) > 1:
            cells = cells[:-1]  # its other half would be outside
        if row[x : x + len(cells)] == cells:
            return
        at = 0
        while at < len(cells):
            wide = at + 1 < len(cells) and not cells[at + 1][0]
            end = at + 1 + wide
            if row[x + at : x + end] != cells[at:end]:
                self._put(out, x + at, y, cells[at], end - at)
                self._broken(row, x + at, x + end)
                row[x + at : x + end] = cells[at:end]
            at = end

    def _put(self, out: list[str], x: int, y: int, cell: Cell, cells: int) -> None:
        self._move(out, x, y)
        char, style = cell
        if self._style is None or (style != self._style and not (char == " " and _blank(self._style) == style)):
            out.append(_change(self._style, style))
            self._style = style
        out.append(char)
        # Terminals differ about where the cursor is at the end of a line, and some about emoji and marks.
        sure = x + cells < self._size[0] and len(char) == 1 and char < "\U00010000"
        self._place = (x + cells, y) if sure else None

    def _move(self, out: list[str], x: int, y: int) -> None:
        if self._place == (x, y):
            return
        at = self._place
        out.append(f"\x1b[{x - at[0]}C" if at and at[1] == y and at[0] < x else f"\x1b[{y + 1};{x + 1}H")
        self._place = x, y

    @staticmethod
    def _broken(row: list[Cell], start: int, end: int) -> None:
        """Of a wide character that is drawn over in part, the other half is not known any more."""
        if start > 0 and not row[start][0]:
            row[start - 1] = _UNKNOWN
        if end < len(row) and not row[end][0]:
            row[end] = _UNKNOWN


class ThriftyDriver(LinuxDriver):
    """Sends what ``Thrift`` leaves."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._thrift = Thrift()

    def forget(self) -> None:
        """Whatever the terminal shows, it is sent anew."""
        self._thrift.forget()

    def write(self, data: str) -> None:
        """To the terminal, as little as shows the same."""
        if spared := self._thrift.spare(data, self._get_terminal_size()):
            super().write(spared)


@lru_cache(maxsize=4096)
def _cells(text: str, style: str) -> list[Cell]:
    """A text as cells; of a blank one only what is seen of its style is kept."""
    found: list[Cell] = []
    blank = _blank(style)
    for char in text:
        wide = width(char)
        if wide:
            found.append((char, blank if char == " " else style))
            found += [("", style)] * (wide - 1)
        elif found:  # a mark, on the character before it
            place = -1 if found[-1][0] else -2
            found[place] = (found[place][0] + char, found[place][1])
    return found


@lru_cache(maxsize=512)
def _blank(style: str) -> str:
    """What is seen of a style where no character stands."""
    parts = _PARTS.findall(style)
    if _SEEN_ON_BLANKS.intersection(parts):
        return style
    return ";".join(part for part in parts if part.startswith("48") or (part[0] == "4" and len(part) == 2))


@lru_cache(maxsize=4096)
def _change(old: str | None, new: str) -> str:
    """The sequence that leads from one style to another: all of it, or what differs where that is shorter."""
    whole = f"\x1b[0;{new}m" if new else "\x1b[0m"
    if old is None:
        return whole
    before, after = _slots(old), _slots(new)
    if not _OFF.keys() >= before.keys() | after.keys():
        return whole
    gone = {_OFF[slot] for slot in before.keys() - after.keys()}
    parts = [*sorted(gone), *(part for slot, part in after.items() if before.get(slot) != part or _OFF[slot] in gone)]
    shorter = f"\x1b[{';'.join(parts)}m" if parts else ""
    return min(shorter, whole, key=len)


def _slots(style: str) -> dict[str, str]:
    """The parts of a style by what they set: two that set the same cannot be in force at once."""
    return {part[:2] if ";" in part else _COLOURS.get(part[:-1], part): part for part in _PARTS.findall(style)}
