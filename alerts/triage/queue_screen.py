"""The queue: what is most urgent on top, live as the daemon and the colleagues work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from alerts import queue
from alerts.sheet import Sheet
from alerts.triage import columns, document, duplicates, reading, terms
from alerts.triage.acting import because, dismissal
from alerts.triage.cells import Line, one_line
from alerts.triage.desk_screen import DeskScreen, bindings
from alerts.triage.dialogs import Answer, Ask, TakesKeys
from alerts.triage.filters import FilterScreen, described
from alerts.triage.painted import Bar, Reader
from alerts.triage.queue_list import QueueList
from alerts.triage.reading import Filter
from alerts.triage.session import Session
from monitor.errors import PollwatchError, StoreError
from monitor.language import _, ngettext

PREVIEW = 160  # columns of a screen from which the alert at the cursor is shown beside the list
_PAUSE_S = 0.15  # so long the cursor rests before the preview is read


class QueueScreen(DeskScreen):
    """The list, its filter, and on a wide screen the alert at the cursor."""

    place = "queue"
    BINDINGS = bindings("queue")
    DEFAULT_CSS = """
    QueueScreen #lists { width: 1fr; }
    QueueScreen #preview { width: 45%; margin: 0 1 0 2; display: none; }
    QueueScreen.wide #preview { display: block; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(id="queue-screen")
        self.queue = QueueList(session)
        self._preview = Reader(self._preview_lines, id="preview", focusable=False)
        self.filter = Filter()
        self.total = 0
        self.loaded = False  # the queue was read once
        self._sheet: Sheet | None = None
        self._missing: Sequence[int] = ()
        self._fetching = False
        self._one_at_a_time = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Bars, list, preview."""
        yield from self.bars_above()
        yield Bar(self._filter_line, id="filter")
        with Horizontal():
            with Vertical(id="lists"):
                yield Bar(self._heading, "base", id="heading")
                yield self.queue
            yield self._preview
        yield from self.bars_below()

    def on_mount(self) -> None:
        """The list has the keys."""
        self.queue.focus()

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The alert at the cursor."""
        return self.queue.row

    @property
    def current_id(self) -> int | None:
        """Its number."""
        return self.queue.at

    async def reload(self, *, whole: bool = True) -> None:
        """First what is seen, then which alerts there are."""
        async with self._one_at_a_time:
            seen = [self.queue.ids[index] for index in self.queue.in_sight(0)]
            if seen:
                self.queue.set_rows(await self.desk.session.ask(reading.rows, seen))
            chosen = self.filter
            order = await self.desk.session.ask(reading.order, chosen)
            if chosen is not self.filter:
                return
            first, self.total, self.loaded = not self.loaded, order.total, True
            self.queue.forget_rows()
            self.queue.set_order(order.ids, seen=self.app.screen_stack[-1:] == [self] and not self.desk.acting)
            self.queue.ask_missing()
            if first:
                self.post_message(TakesKeys())
        self.look()
        if whole:
            self._read_preview()

    def look(self) -> None:
        """Draw again what time or the store has changed."""
        super().look()
        self.queue.look()

    def repaint(self) -> None:
        """In another language, or other colours."""
        super().repaint()
        self.queue.refresh()
        self._preview.look()

    @on(QueueList.Missing)
    def _fetch_missing(self, message: QueueList.Missing) -> None:
        self._missing = message.ids
        if not self._fetching:
            self._fetching = True
            self._fetch()

    @work
    async def _fetch(self) -> None:
        try:
            while self._missing:  # what is asked for meanwhile replaces what is not seen any more
                ids, self._missing = self._missing, ()
                self.queue.set_rows(await self.desk.session.ask(reading.rows, ids))
        except StoreError as error:
            self.desk.lost(error)
        finally:
            self._fetching = False

    @on(QueueList.Moved)
    def _moved(self) -> None:
        self.query_one("#filter", Bar).look()
        if self.has_class("wide"):
            self.set_timer(_PAUSE_S, self._read_preview)

    @on(QueueList.Opened)
    def _opened(self) -> None:
        self.action_open()

    def on_resize(self, event: Resize) -> None:
        """Where there is room, the alert at the cursor is shown beside the list."""
        self.set_class(event.size.width >= PREVIEW, "wide")
        self.call_after_refresh(self.look)
        self._read_preview()

    def _read_preview(self) -> None:
        if self.has_class("wide") and self.queue.at is not None:
            self._preview_of(self.queue.at)

    @work(exclusive=True, group="preview")
    async def _preview_of(self, alert_id: int) -> None:
        try:
            self._sheet = await self.desk.session.sheet(alert_id)
        except PollwatchError:  # gone, or no database: the watch says so
            self._sheet = None
        self._preview.look()

    def _preview_lines(self, cells: int) -> list[Line]:
        if self._sheet is None or self._sheet.alert["id"] != self.queue.at:
            return []
        return document.lines(self._sheet, self.desk.session, self.desk.session.clock(), cells)

    def head(self, cells: int) -> list[Line]:
        """Place, reviewer, time."""
        clock = self.desk.session.clock().astimezone(self.desk.session.zone).strftime("%H:%M")
        return [[*self.title_line(_("queue")), (f"  {clock}", "dim")]]

    def _filter_line(self, cells: int) -> list[Line]:
        shown = len(self.queue.ids)
        place = self.queue.place + 1
        count = ngettext("{place} of {count} alert", "{place} of {count} alerts", self.total)
        none = _("No alert") if self.loaded else _("One moment …")
        words = count.format(place=place, count=f"{self.total:,}") if shown else none
        line: Line = [(f"{words}  ", "text")]
        if self.queue.marked:
            marked = ngettext("{count} marked", "{count} marked", len(self.queue.marked))
            line.append((f"* {marked.format(count=len(self.queue.marked))}  ", "key"))
        if self.filter.is_on:
            said = one_line(described(self.filter))
            return [[*line, (_("FILTER"), "weight"), (f" {said} ", "key"), (_("(x shows all)"), "dim")]]
        return [[*line, (_("all that wait for a person"), "dim")]]

    def _heading(self, cells: int) -> list[Line]:
        return [columns.heading(columns.columns(self.queue.scrollable_content_region.width))]

    def action_open(self) -> None:
        """Look at it without taking it."""
        alert_id = self.current_id
        if alert_id is not None:
            self._start(lambda: self.desk.show_alert(alert_id))

    def action_mark(self) -> None:
        """Mark the alert at the cursor, from the palette too."""
        self.queue.action_mark()

    def action_find(self) -> None:
        """Words that must stand in the title."""

        async def submit(answer: Answer) -> None:
            self.choose(replace(self.filter, words=answer.words))

        title = _("Show alerts with these words in the title, or the one with this number:")
        self.app.push_screen(Ask(title, submit, prompt=_("Words"), words=self.filter.words))

    def action_filters(self) -> None:
        """Which alerts are shown."""
        self.app.push_screen(FilterScreen(self.filter, self.desk.session.reviewer), self._chosen)

    def _chosen(self, chosen: Filter | None) -> None:
        if chosen is not None:
            self.choose(chosen)

    def action_clear(self) -> None:
        """All that waits for a person."""
        self.choose(Filter())

    def choose(self, chosen: Filter) -> None:
        """Show other alerts."""
        self.filter = chosen
        self.look()
        self.desk.read_again()

    def action_put_aside(self) -> None:
        """Dismiss the marked alerts, or this one."""
        if not self.queue.marked:
            super().action_put_aside()
            return
        self._start(self._dismiss_marked)

    def action_duplicate(self) -> None:
        """Make one incident of the marked alerts and another, or of this one and another."""
        if not self.queue.marked:
            super().action_duplicate()
            return
        self._start(self._unite_marked)

    async def _unite_marked(self) -> None:
        ids, here = self._marked(), self.current_id
        if await duplicates.close(self.desk, self._titles(ids), here if here not in ids else None):
            self.queue.marked.clear()

    def _marked(self) -> list[int]:
        """In the order of the list."""
        return [id for id in self.queue.ids if id in self.queue.marked]

    def _titles(self, ids: Sequence[int]) -> dict[int, str]:
        """Of alerts; nothing of one that was not read yet."""
        return {id: row["title"] if (row := self.queue.row_of(id)) else "" for id in ids}

    async def _dismiss_marked(self) -> None:
        ids = self._marked()
        outcome: list[str] = []

        async def submit(answer: Answer) -> None:
            for each in await self.desk.session.act(queue.dismiss_many, ids, because(answer)):
                if each.refusal is None:
                    self.desk.leases.drop(each.alert_id)
                    self.desk.decided.append(each.alert_id)
                else:
                    outcome.append(f"{terms.told(each.refusal, self.desk.session.zone)}.")
            self.queue.marked.clear()

        count = ngettext(
            "Dismiss {count} marked alert, with one reason?",
            "Dismiss {count} marked alerts, with one reason?",
            len(ids),
        )
        lines = duplicates.listed(self._titles(ids))
        if await self.app.push_screen_wait(dismissal(count.format(count=len(ids)), lines, submit)):
            done = len(ids) - len(outcome)
            said = ngettext("{count} alert dismissed.", "{count} alerts dismissed.", done).format(count=done)
            self.desk.say(" ".join((said, *outcome)), alarm=bool(outcome))
