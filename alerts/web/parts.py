"""What a page is made of: sections of figures, tables, charts and sentences. Plain data; one template shows them all.

Text is text: the template escapes it. A chart is the SVG of alerts.charts or classifiers.charts, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.language import _, ngettext, term
from monitor.text import shorten

TITLE = 140  # characters of a title in a table


class Tone(StrEnum):
    """How a value is shown, beside its words: never the only sign of anything."""

    PLAIN = ""
    SOFT = "soft"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: text, where it leads (a path of ours, or an address of the web), when it was, its language."""

    text: str
    href: str | None = None
    at: datetime | None = None
    lang: str | None = None
    tone: Tone = Tone.PLAIN
    chart: str = ""  # a spark beside the text
    note: str = ""  # a second line, in small

    @property
    def outside(self) -> bool:
        """Whether it leads away from here."""
        return self.href is not None and not self.href.startswith("/")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``head``: what the row is about; ``prose``: sentences, which may break anywhere."""

    name: str
    number: bool = False
    head: bool = False
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """A few numbers with their names; ``wide``: lists of words instead, one under the other."""

    rows: Sequence[tuple[str, Cell]]
    wide: bool = False
    kind: Literal["figures"] = "figures"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their columns; a list of small blocks where the screen is narrow."""

    name: str  # for who does not see that it stands under the heading
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its name."""

    title: str
    svg: str
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences, one under the other; in order where they are a course of time."""

    rows: Sequence[Cell]
    empty: str = ""
    ordered: bool = False
    kind: Literal["list"] = "list"


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    cell: Cell
    kind: Literal["words"] = "words"


Part = Figures | Table | Chart | Listing | Words


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page: its heading, a line that says what it is, its sections, and ways to go on.

    ``alarm`` is said above everything and leads to the last section.
    """

    title: str
    lead: str
    sections: Sequence[Section]
    onward: Sequence[Link] = ()
    back: Link | None = None
    title_lang: str | None = None
    alarm: str = ""


def claim(title: str, href: str, lang: str, claim_type: str | None) -> Cell:
    """The title of an incident, which leads to it, with its claim type; of a long one the beginning."""
    kind = term("claim_type", claim_type) if claim_type else _("claim type unclear")
    return Cell(shorten(title, TITLE), href, lang=lang, note=kind)


def number(value: float) -> Cell:
    """A whole number as people read it."""
    return Cell(f"{value:,.0f}")


def instant(moment: datetime | None, zone: ZoneInfo, tone: Tone = Tone.PLAIN) -> Cell:
    """An instant in the election's zone."""
    if moment is None:
        return Cell("–", tone=Tone.SOFT)
    local = moment.astimezone(zone)
    return Cell(f"{local:%Y-%m-%d %H:%M}", at=local, tone=tone)


def share(value: float | None) -> str:
    """A share in [0, 1] as per cent."""
    return "–" if value is None else f"{100 * value:.0f}\u00a0%"


def span(length: timedelta | None) -> str:
    """A length of time, in the unit that suits it."""
    if length is None:
        return "–"
    minutes = length / timedelta(minutes=1)
    if minutes < 1:
        return _("under a minute")
    if minutes < 120:
        return ngettext("{count} minute", "{count} minutes", round(minutes)).format(count=round(minutes))
    if minutes < 48 * 60:
        return ngettext("{count} hour", "{count} hours", round(minutes / 60)).format(count=round(minutes / 60))
    days = round(minutes / (24 * 60))
    return ngettext("{count} day", "{count} days", days).format(count=days)


def web_address(link: str | None) -> str | None:
    """``link`` where a browser may follow it: http and https, and nothing that runs."""
    try:
        parts = urlsplit(link or "")
    except ValueError:
        return None
    return link if parts.scheme in ("http", "https") and parts.netloc else None
