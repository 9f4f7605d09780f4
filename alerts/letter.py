"""What a mail says, apart from its form: a headline and sections of lines, entries, tables and pictures. Pure.

Text, HTML and PDF are made of one letter, and so cannot disagree. Its words are in one language, and plain: whoever
writes markup escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import ClassVar

from monitor import language
from monitor.language import _
from monitor.types import Lang

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Tone(StrEnum):
    """How a line is to be read at a glance."""

    PLAIN = "plain"
    SOFT = "soft"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence."""

    kind: ClassVar[str] = "line"
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list: a word before it (a priority, a verdict), what it is, what there is to know of it."""

    kind: ClassVar[str] = "entry"
    text: str
    detail: str = ""
    mark: str = ""
    warning: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first column is words, the others are numbers."""

    kind: ClassVar[str] = "table"
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, by day and by night as SVG; ``said`` are its numbers for who does not see it."""

    kind: ClassVar[str] = "picture"
    name: str
    title: str
    said: str
    day: str
    night: str


Block = Line | Entry | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole mail. ``front`` is its first page, ``annex`` what stands behind it, ``foot`` its last lines."""

    lang: Lang
    subject: str
    name: str  # what the mail is, above the headline
    headline: str
    about: tuple[str, ...]  # of when it speaks, below the headline
    front: tuple[Section, ...]
    annex: tuple[Section, ...]
    foot: tuple[str, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of it, in order."""
        blocks = (block for section in (*self.front, *self.annex) for block in section.blocks)
        return tuple(block for block in blocks if isinstance(block, Picture))


def moment(at: datetime | None, zone: tzinfo) -> str:
    """An instant in the language in use, on the clocks of ``zone``: ``1 Mar 08:00``, ``3月1日 08:00``."""
    if at is None:
        return "–"
    local = at.astimezone(zone)
    return f"{day(local)} {local:%H:%M}"


def day(local: date) -> str:
    """A date in the language in use: ``1 Mar``, ``3月1日``."""
    if language.used() is Lang.HANT:
        return f"{local.month}月{local.day}日"
    return f"{local.day} {_MONTHS[local.month - 1]}"


def minutes(count: float | None) -> str:
    """A span in the language in use, as people say it: ``12 min``, ``3.5 h``, ``2.1 days``."""
    if count is None:
        return "–"
    if 0 < count < 1:
        return _("under 1 min")
    if count < 100:
        return _("{n} min").format(n=round(count))
    if count < 48 * 60:
        return _("{n} h").format(n=f"{count / 60:.3g}")
    return _("{n} days").format(n=f"{count / 1440:.3g}")
