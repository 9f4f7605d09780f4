"""`/feeds`: how the feeds are, and what the program did not cover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alerts.coverage import Coverage, read_coverage
from alerts.web.look import Look
from alerts.web.parts import Cell, Column, Figures, Listing, Page, Part, Section, Table, Tone, instant, number
from monitor.health import named
from monitor.language import _, render, term
from monitor.text import shorten

OUTLETS = 20
ADDRESS = 80  # characters of one
_TONES = {"failing": Tone.BAD, "unwell": Tone.WARN, "disabled": Tone.SOFT}


def feeds(look: Look) -> Page:
    """The page."""
    found = read_coverage(look.store, look.settings, look.now)
    return Page(
        title=_("Feeds"),
        lead=_("Which outlets are read, and what was not: where nothing was found, was anything looked at?"),
        sections=[
            Section(_("How they are"), [_counts(found.feeds)]),
            Section(_("What needs a look"), list(_unwell(look, found.feeds))),
            Section(_("Without anything new for seven days"), [_quiet(found)]),
            Section(_("Not judged, not told"), [_left(found)]),
        ],
    )


def _counts(feeds: Mapping[str, Any]) -> Figures:
    failing, unwell = feeds["failing"], feeds["unwell"]
    return Figures(
        [
            (_("Feeds"), number(feeds["total"])),
            (_("Well"), number(feeds["ok"])),
            (_("Unwell"), Cell(f"{unwell:,}", tone=Tone.WARN if unwell else Tone.PLAIN)),
            (_("Failing"), Cell(f"{failing:,}", tone=Tone.BAD if failing else Tone.PLAIN)),
            (_("Not asked yet"), number(feeds["new"])),
            (_("Switched off"), number(feeds["disabled"])),
        ]
    )


def _unwell(look: Look, feeds: Mapping[str, Any]) -> Iterator[Part]:
    columns = [
        Column(_("Outlet"), head=True),
        Column(_("How it is")),
        Column(_("Why"), prose=True),
        Column(_("Last good answer")),
        Column(_("Last new entry")),
    ]
    rows = [
        [
            Cell(row["outlet"], note=shorten(row["url"], ADDRESS)),
            Cell(named(row["health"]), tone=_TONES[group]),
            Cell(render(row["said"]) if row["said"] else ""),
            instant(row["last_success_at"], look.zone),
            instant(row["last_new_at"], look.zone),
        ]
        for group in _TONES
        for row in feeds[f"{group}_feeds"]
    ]
    yield Table(_("Feeds that are not well"), columns, rows, _("Every feed is well."))
    more = sum(feeds[group] for group in _TONES) - len(rows)
    if more:
        yield Listing([Cell(_("and {count} more: `pollwatch feeds list`").format(count=f"{more:,}"), tone=Tone.SOFT)])


def _quiet(found: Coverage) -> Figures:
    outlets = list(found.quiet_outlets[:OUTLETS])
    more = len(found.quiet_outlets) - len(outlets)
    if more > 0:
        outlets.append(_("{count} more").format(count=f"{more:,}"))
    comma = _(", ")
    return Figures(
        [
            (_("Languages"), _listed([term("lang", lang) for lang in found.quiet_langs], comma)),
            (_("Claim types"), _listed([term("claim_type", each) for each in found.quiet_claim_types], comma)),
            (_("Outlets"), _listed(outlets, comma)),
        ],
        wide=True,
    )


def _listed(words: list[str], comma: str) -> Cell:
    return Cell(comma.join(words)) if words else Cell(_("none"), tone=Tone.SOFT)


def _left(found: Coverage) -> Figures:
    dropped = {name: sum(by.values()) for name, by in found.dropped.items()}
    return Figures(
        [
            (_("Items not judged"), number(found.backlog["unassessed"])),
            (_("Items not grouped"), number(found.backlog["ungrouped"])),
            (_("Too old to be grouped"), number(found.backlog["too_old"])),
            (_("Messages dropped, seven days"), number(dropped.get("messages", 0))),
            (_("News for receivers dropped, seven days"), number(dropped.get("occasions", 0))),
            (_("Alerts hidden"), number(sum(found.hidden.values()))),
        ]
    )
