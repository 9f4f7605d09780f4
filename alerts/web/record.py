"""`/silences` and `/audit`: what stays quiet and who wanted it, and the head of the chain that holds everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.web.look import Look
from alerts.web.parts import Cell, Column, Figures, Page, Section, Table, Tone, Words, instant, number
from monitor.language import _
from monitor.store import audit as chain
from monitor.store import silences as rows
from monitor.store import suppression

ENTRIES = 50
SILENCES = 200


def silences(look: Look) -> Page:
    """The page of `/silences`."""
    with look.store.read() as connection:
        active = rows.listing(connection, look.now)
        hidden = suppression.counts(connection, look.now)
    columns = [
        Column(_("What it hides"), head=True),
        Column(_("Why"), prose=True),
        Column(_("Author")),
        Column(_("Begins")),
        Column(_("Ends")),
        Column(_("Hides now"), number=True),
        Column(_("Ever hid"), number=True),
    ]
    shown = [
        [
            Cell(_matched(row["matchers"])),
            Cell(row["reason"]),
            Cell(row["author"]),
            instant(row["starts_at"], look.zone),
            instant(row["ends_at"], look.zone),
            number(row["hides"]),
            number(row["suppressed"]),
        ]
        for row in active[:SILENCES]
    ]
    counts = Figures(
        [
            (_("Silences"), number(len(active))),
            (_("Alerts that they hide"), number(hidden["silence"])),
            (_("Alerts answered by a clarification"), number(hidden["inhibited"])),
        ]
    )
    return Page(
        title=_("Silences"),
        lead=_("What somebody wanted to stay quiet, why, and until when."),
        sections=[
            Section(_("Hidden now"), [counts]),
            Section(_("Silences that hold"), [Table(_("Silences"), columns, shown, _("No silence holds."))]),
        ],
    )


def _matched(matchers: Mapping[str, Any]) -> str:
    return "; ".join(f"{key} = {' | '.join(map(str, words))}" for key, words in matchers.items())


def audit(look: Look) -> Page:
    """The page of `/audit`. Who acted is told by `pollwatch audit list`, not here."""
    with look.store.read() as connection:
        seq, hashed = chain.head(connection)
        newest = chain.listing(connection, limit=ENTRIES)[::-1]
    columns = [
        Column(_("Entry"), number=True, head=True),
        Column(_("When")),
        Column(_("What was done")),
        Column(_("With what")),
        Column(_("Hash")),
    ]
    shown = [
        [
            number(entry["seq"]),
            instant(entry["at"], look.zone),
            Cell(entry["action"], tone=Tone.CODE),
            Cell(entry["subject"], tone=Tone.CODE),
            Cell(entry["hash"][:16], tone=Tone.CODE),
        ]
        for entry in newest
    ]
    head = Figures([(_("Entries"), number(seq)), (_("Hash of the newest"), Cell(hashed, tone=Tone.CODE))])
    meaning = _(
        "Each entry holds the hash of the one before it. The hash of the newest stands in every digest: who has an old "
        "mail can see that nothing before it was changed. `pollwatch audit verify` reads the whole chain."
    )
    return Page(
        title=_("Audit"),
        lead=_("The head of the chain in which every act stands."),
        sections=[
            Section(_("Head"), [head, Words(Cell(meaning))]),
            Section(_("The newest entries"), [Table(_("Entries"), columns, shown, _("Nothing was done yet."))]),
        ],
    )
