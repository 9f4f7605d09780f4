"""`/candidates`: whether candidates and camps are treated alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from alerts.parity import HIGHEST, LOWEST, ParityRow, read_parity
from alerts.web.look import Look
from alerts.web.parts import Cell, Column, Listing, Page, Section, Table, Tone, Words, number, span
from monitor.language import _, render

DAYS = 7


def candidates(look: Look) -> Page:
    """The page. Raises ConfigError for a wrong watchlist."""
    found = read_parity(look.store, look.settings, look.now - timedelta(days=DAYS), look.now)
    camps = {row.key: row.called[look.lang] for row in found.camps}
    warnings = [Cell(render(warning, look.zone), tone=Tone.WARN) for warning in found.warnings]
    meaning = _(
        "The ratio compares how often what names one candidate was flagged in error with how often what names the "
        "others was. 1 is the same; below {lowest} or above {highest} it wants an explanation, if its interval leaves "
        "out 1."
    ).format(lowest=LOWEST, highest=HIGHEST)
    return Page(
        title=_("Candidates"),
        lead=_("Items of the last {days} days, by whom they name.").format(days=DAYS),
        sections=[
            Section(_("Warnings"), [Listing(warnings, _("None: no candidate and no camp is flagged in error more."))]),
            Section(_("By candidate"), [_table(look, _("Candidates"), found.candidates, camps)]),
            Section(_("By camp"), [_table(look, _("Camps"), found.camps, {})]),
            Section(_("What the ratio means"), [Words(Cell(meaning))]),
        ],
    )


def _table(look: Look, name: str, rows: Sequence[ParityRow], camps: Mapping[str, str]) -> Table:
    """``camps``: what those are called that stand beside a name."""
    columns = [
        Column(_("Name"), head=True),
        Column(_("Items"), number=True),
        Column(_("Flagged"), number=True),
        Column(_("Found false"), number=True),
        Column(_("Flagged in error"), number=True),
        Column(_("Half decided within"), number=True),
        Column(_("Ratio of errors"), number=True),
    ]
    shown = [
        [
            Cell(row.called[look.lang], note=camps.get(row.camp or "", "")),
            number(row.items),
            number(row.flagged),
            number(row.decided_false),
            number(row.dismissed),
            Cell("–" if row.decide_p50_s is None else span(timedelta(seconds=row.decide_p50_s))),
            _ratio(row),
        ]
        for row in rows
    ]
    return Table(name, columns, shown, _("The watchlist names none."))


def _ratio(row: ParityRow) -> Cell:
    if row.ratio is None or row.low is None or row.high is None:
        return Cell(_("not enough"), tone=Tone.SOFT)
    tone = Tone.WARN if row.warns else Tone.PLAIN
    return Cell(f"{row.ratio:.2f}", note=f"{row.low:.2f}–{row.high:.2f}", tone=tone)
