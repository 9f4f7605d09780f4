"""One alert with everything for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult

from alerts.sheet import Sheet
from alerts.triage import document, terms
from alerts.triage.cells import Line, one_line, wrap
from alerts.triage.desk_screen import DeskScreen, bindings
from alerts.triage.painted import Bar, Reader
from monitor.language import _

_WARN_S = 120  # so long before a lease runs out it is said


class AlertScreen(DeskScreen):
    """The claim, why it is here, what is known, where it stands, who did what."""

    place = "alert"
    BINDINGS = bindings("alert")
    DEFAULT_CSS = "AlertScreen #sheet { padding: 0 1; }"

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(id="alert-screen")
        self.sheet = sheet
        self._reader = Reader(self._lines, id="sheet")
        self.had_lease = False  # of this desk, when it was last looked at

    @property
    def alert_id(self) -> int:
        """Which alert."""
        return int(self.sheet.alert["id"])

    @property
    def current_id(self) -> int:
        """Its number."""
        return self.alert_id

    @property
    def current(self) -> Mapping[str, Any]:
        """The alert that is shown."""
        return self.sheet.alert

    def compose(self) -> ComposeResult:
        """Bars and the sheet."""
        yield from self.bars_above()
        yield Bar(self._lease, id="lease")
        yield self._reader
        yield from self.bars_below()

    def on_mount(self) -> None:
        """The sheet has the keys."""
        self.had_lease = self.alert_id in self.desk.leases.until
        self._reader.focus()

    async def reload(self, *, whole: bool = True) -> None:
        """Read the sheet again; one that is older than this desk's lease says nothing of it."""
        until = self.desk.leases.until.get(self.alert_id)
        sheet = await self.desk.session.sheet(self.alert_id)
        if self.desk.leases.until.get(self.alert_id) == until:
            self.set_sheet(sheet)
        else:
            self.desk.read_again()

    def set_sheet(self, sheet: Sheet) -> None:
        """Show what the store says now; say so when the lease has gone."""
        self.sheet = sheet
        held = self.alert_id in self.desk.leases.until
        if held and terms.holder(sheet.alert, self.desk.session.clock()) != self.desk.session.reviewer:
            self.desk.leases.drop(self.alert_id)
            held = False
        if self.had_lease and not held and self.alert_id not in self.desk.decided:
            self.desk.say(self._lost(), alarm=True)
        self.had_lease = held
        self._reader.look()
        self.look()

    def _lost(self) -> str:
        row, now = self.sheet.alert, self.desk.session.clock()
        held_by = terms.holder(row, now)
        if held_by is not None:
            return _("You do not hold alert {id} any more: {holder} has it now.").format(id=row["id"], holder=held_by)
        if row["decision"] is not None:
            return _("You do not hold alert {id} any more: it is decided.").format(id=row["id"])
        return _("You do not hold alert {id} any more; t takes it again.").format(id=row["id"])

    def repaint(self) -> None:
        """In another language, or other colours."""
        super().repaint()
        self._reader.look()

    def head(self, cells: int) -> list[Line]:
        """Place and reviewer."""
        return [self.title_line(_("alert {id}").format(id=self.alert_id))]

    def _lease(self, cells: int) -> list[Line]:
        """Whether it may be decided, and by whom."""
        row, now = self.sheet.alert, self.desk.session.clock()
        until = self.desk.leases.until.get(self.alert_id)
        if until is not None:
            left = int((until - now).total_seconds())
            if left < _WARN_S:
                words = _("Your lease runs out in {seconds} s: press any key to keep it.").format(seconds=max(left, 0))
                return wrap([(f"! {words}", "late")], cells)
            words = _("You hold this alert until {time}.")
            return wrap(
                [(words.format(time=until.astimezone(self.desk.session.zone).strftime("%H:%M")), "mine")], cells
            )
        held_by = terms.holder(row, now)
        if held_by is not None:
            words = _("Held by {holder}: you can only look.").format(holder=one_line(held_by))
            return wrap([(words, "held")], cells)
        if row["decision"] is not None:
            return wrap([(_("Decided; u takes back your own, A takes it up again."), "dim")], cells)
        return wrap([(_("Nobody holds this alert: t takes it."), "soon")], cells)

    def _lines(self, cells: int) -> list[Line]:
        return document.lines(self.sheet, self.desk.session, self.desk.session.clock(), cells)

    def action_leave(self) -> None:
        """Back to the queue."""

        async def work() -> None:
            self.desk.back_to_queue()

        self._start(work)
