"""A row of the queue as cells: which columns there is room for, and what stands in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.triage import terms
from alerts.triage.cells import Line, fit, one_line
from alerts.triage.session import Session
from monitor.language import _, used
from monitor.types import Lang

TITLE = 28  # cells that are left for the title before a further column is shown
_GAP = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key, heading and cells."""

    key: str
    heading: str
    cells: int


@dataclass(frozen=True, slots=True)
class Marks:
    """How a row stands out on the screen."""

    cursor: bool = False
    marked: bool = False


def columns(cells: int) -> tuple[Column, ...]:
    """The columns for a list so many cells wide, in their order; the title, last, takes what is left."""
    chinese = used() is Lang.HANT
    signs = Column("signs", "", 2)
    known = {
        "priority": Column("priority", _("pri"), 4 if chinese else 3),
        "due": Column("due", _("due"), 7),
        "who": Column("who", _("held by"), 11),
        "claim_type": Column("claim_type", _("claim type"), 12 if chinese else 20),
        "about": Column("about", _("about"), 12 if chinese else 18),
        "spread": Column("spread", _("outl/items"), 10),
        "lang": Column("lang", _("lang"), 4),
    }
    chosen = {"priority", "due", "who"}
    left = cells - signs.cells - sum(known[key].cells + _GAP for key in chosen)
    for key in ("claim_type", "about", "spread", "lang"):  # by importance
        if left - known[key].cells - _GAP < TITLE:
            break
        chosen.add(key)
        left -= known[key].cells + _GAP
    shown = [column for key, column in known.items() if key in chosen]
    return (signs, *shown, Column("title", _("claim"), max(left, 0)))


def heading(shown: Sequence[Column]) -> Line:
    """The line above the list."""
    return _joined([(fit(column.heading, column.cells), "dim") for column in shown])


def line(row: Mapping[str, Any], shown: Sequence[Column], marks: Marks, session: Session, now: datetime) -> Line:
    """One alert."""
    return _joined([_cell(row, column, marks, session, now) for column in shown])


def waiting(shown: Sequence[Column], marks: Marks) -> Line:
    """The line of an alert that has not been read yet."""
    signs = (">" if marks.cursor else " ") + ("*" if marks.marked else " ")
    return [(signs, "key"), (fit("…", sum(column.cells + _GAP for column in shown[1:]) - _GAP), "dim")]


def _cell(row: Mapping[str, Any], column: Column, marks: Marks, session: Session, now: datetime) -> tuple[str, str]:
    match column.key:
        case "signs":
            words, role = (">" if marks.cursor else " ") + ("*" if marks.marked else " "), "key"
        case "priority":
            words = row["priority"] + ("↑" * min(row["level"], 1))
            role = row["priority"].lower() if row["priority"] != "P4" else "dim"
        case "due":
            words, role = terms.left(row, now)
        case "who":
            words, role = terms.who(row, session.reviewer, now, session.zone)
        case "claim_type":
            words, role = terms.claim_type(row["claim_type"]), "text"
        case "about":
            words, role = ", ".join(map(session.naming.person, row["matches"])) or "-", "text"
        case "spread":
            words, role = f"{len(row['outlets'])}/{row['items']}", "text"
        case "lang":
            words, role = terms.LANGUAGE_SIGNS[Lang(row["lang"])], "dim"
        case _:
            words, role = row["title"], "title" if marks.cursor else "text"
    return fit(words, column.cells), role


def _joined(cells: Sequence[tuple[str, str]]) -> Line:
    joined: Line = []
    for index, cell in enumerate(cells):
        joined.append(cell)
        if 0 < index < len(cells) - 1:
            joined.append((" " * _GAP, "text"))
    return joined


def tell(row: Mapping[str, Any], session: Session, now: datetime) -> str:
    """One alert in a sentence, for a line by itself: `--plain`, and messages."""
    due, _role = terms.left(row, now)
    held, _role = terms.who(row, session.reviewer, now, session.zone)
    parts = [
        row["priority"],
        _("alert {id}").format(id=row["id"]),
        _("due {time}").format(time=due),
        *([held] if held != "-" else []),
        terms.claim_type(row["claim_type"]),
        *([", ".join(map(session.naming.person, row["matches"]))] if row["matches"] else []),
        _("outlets {outlets}, items {items}").format(outlets=len(row["outlets"]), items=row["items"]),
        terms.LANGUAGE_SIGNS[Lang(row["lang"])],
    ]
    return f"{one_line('; '.join(parts))}: {one_line(row['title'])}"


def cells_of(shown: Sequence[Column]) -> int:
    """How wide a line of these columns is."""
    return sum(column.cells for column in shown) + _GAP * (len(shown) - 2)
