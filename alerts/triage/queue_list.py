"""The list of the queue: the numbers of all its alerts, and the rows of those that are seen.

Scrolling moves over the numbers and needs no store. What comes into sight and has not been read is asked for with
``Missing``. The place of the reviewer is an alert, not a line: rows may come and go around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from alerts.triage.cells import Line
from alerts.triage.columns import Column, Marks, columns, line, waiting
from alerts.triage.painted import strip
from alerts.triage.session import Session
from monitor.language import used

KEPT = 2_000  # rows that are kept before those out of sight are forgotten


class QueueList(ScrollView, can_focus=True):
    """One line for each alert."""

    DEFAULT_CSS = "QueueList { width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: scroll; }"
    BINDINGS = [  # noqa: RUF012 - as Textual wants it
        ("up,k", "move(-1)"),
        ("down,j", "move(1)"),
        ("pageup", "page(-1)"),
        ("pagedown", "page(1)"),
        ("home,g", "go(0)"),
        ("end,G", "go(-1)"),
        ("space", "mark"),
    ]

    class Missing(Message):
        """Rows of these alerts are in sight, or nearly, and have not been read."""

        def __init__(self, ids: Sequence[int]) -> None:
            super().__init__()
            self.ids = ids

    class Moved(Message):
        """The reviewer looks at another alert."""

    class Opened(Message):
        """The reviewer wants to see an alert whole."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="queue")
        self._session = session
        self.ids: tuple[int, ...] = ()
        self.marked: set[int] = set()
        self.at: int | None = None  # the alert that the reviewer looks at
        self._place: dict[int, int] = {}
        self._seen: tuple[int, ...] = ()  # the order in which the reviewer saw them last
        self._rows: dict[int, Mapping[str, Any]] = {}
        self._columns: tuple[object, tuple[Column, ...]] = (None, ())  # for which width and language
        self._drawn: dict[int, tuple[int, Line]] = {}  # by line of the screen: which alert, and its words

    @property
    def row(self) -> Mapping[str, Any] | None:
        """The alert at the cursor, as far as it was read."""
        return self._rows.get(self.at) if self.at is not None else None

    @property
    def place(self) -> int:
        """The cursor's index."""
        return self._place.get(self.at or -1, 0)

    def row_of(self, alert_id: int) -> Mapping[str, Any] | None:
        """An alert, if it was read."""
        return self._rows.get(alert_id)

    def line_of(self, alert_id: int) -> int | None:
        """In which line of the screen an alert stands."""
        index = self._place.get(alert_id)
        return index - self.scroll_offset.y if index is not None and index in self.in_sight(0) else None

    def in_sight(self, pages: int = 1) -> range:
        """Indices of what is seen, and so many screens before and behind it."""
        height = max(self.size.height, 1)
        first = self.scroll_offset.y - pages * height
        return range(max(first, 0), min(self.scroll_offset.y + (pages + 1) * height, len(self.ids)))

    def set_order(self, ids: Sequence[int], *, seen: bool = True) -> None:
        """Other alerts, or in another order: the reviewer's alert stays where it is on the screen.

        At the very top the top stays in sight, so that what comes in above is seen. When the alert is gone, the cursor
        stands on the next one that is left. While the list is not ``seen``, next is what was next when it was.
        """
        ids = tuple(ids)
        before = self._seen
        if seen:
            self._seen = ids
        if ids == self.ids:
            return
        offset = self.place - self.scroll_offset.y
        self.ids = ids
        self._place = {id: place for place, id in enumerate(ids)}
        self.marked &= self._place.keys()
        if self.at not in self._place:
            left = self._next_left(before)
            self.at = left if left is not None else (ids[0] if ids else None)
        self.virtual_size = Size(self.scrollable_content_region.width, len(ids))
        if self.at is not None and self.scroll_offset.y > 0:
            self.scroll_to(y=max(self._place[self.at] - offset, 0), animate=False, force=True)
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())
        self.ask_missing()

    def set_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """What the store says of some alerts now."""
        for row in rows:
            self._rows[row["id"]] = row
        if len(self._rows) > KEPT:
            near = {self.ids[index] for index in self.in_sight(3)} | self.marked
            self._rows = {id: row for id, row in self._rows.items() if id in near}
        self.look()

    def forget_rows(self) -> None:
        """What was read is not to be shown any more unless it is read again."""
        near = {self.ids[index] for index in self.in_sight(0)}
        self._rows = {id: row for id, row in self._rows.items() if id in near}

    def ask_missing(self) -> None:
        """Ask for the rows that are in sight or nearly so."""
        ids = [self.ids[index] for index in self.in_sight() if self.ids[index] not in self._rows]
        if ids:
            self.post_message(self.Missing(ids))

    def look(self) -> None:
        """Draw the lines again that say something else now; time alone changes some."""
        for y in range(self.size.height):
            if self._words(y) != self._drawn.get(y, (0, None))[1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into sight is read."""
        super().watch_scroll_y(old_value, new_value)
        self.ask_missing()

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.ids))
        self._keep_in_sight()
        self.ask_missing()

    def action_move(self, lines: int) -> None:
        """So many lines up or down."""
        self.go_to(self.place + lines)

    def action_page(self, pages: int) -> None:
        """A screen up or down."""
        self.action_move(pages * max(self.size.height - 1, 1))

    def action_go(self, index: int) -> None:
        """To the first or the last."""
        self.go_to(index if index >= 0 else len(self.ids) - 1)

    def action_mark(self) -> None:
        """Mark the alert, or not any more, and go on to the next."""
        if self.at is not None:
            self.marked ^= {self.at}
            self.action_move(1)
            self.look()
            self.post_message(self.Moved())

    def go_to(self, index: int) -> None:
        """Put the cursor on an index, the nearest there is."""
        if not self.ids:
            return
        was, self.at = self.at, self.ids[max(0, min(index, len(self.ids) - 1))]
        self._keep_in_sight()
        if self.at != was:
            for alert_id in (was, self.at):  # what changed, not the whole list: lines are slow
                y = self.line_of(alert_id or -1)
                if y is not None:
                    self.refresh(Region(0, y, self.size.width, 1))
            self.post_message(self.Moved())

    def step_over(self, alert_id: int) -> None:
        """Go on from an alert that was dealt with: wherever it goes, the reviewer stays."""
        if self.at == alert_id and (left := self._next_left(self._seen)) is not None:
            self.go_to(self._place[left])

    def _next_left(self, order: Sequence[int]) -> int | None:
        """Of those behind the cursor's alert in an order, then of those before it, the nearest that is still there.

        Not in the order of now: an alert that is taken has other clocks, and stands elsewhere.
        """
        if self.at not in order:
            return None
        index = order.index(self.at)
        nearest = (*order[index + 1 :], *order[:index][::-1])
        return next((id for id in nearest if id in self._place), None)

    def on_click(self, event: events.Click) -> None:
        """A click goes there; a second one opens it."""
        self.go_to(self.scroll_offset.y + event.y)
        if event.chain > 1:
            self.post_message(self.Opened())

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        index = self.scroll_offset.y + y
        words = self._words(y)
        here = self.ids[index] if index < len(self.ids) else 0
        self._drawn[y] = here, words
        cells = self.scrollable_content_region.width
        return strip(self, words, cells, "cursor" if here and here == self.at else "base")

    def _words(self, y: int) -> Line:
        index = self.scroll_offset.y + y
        if index >= len(self.ids):
            return []
        alert_id = self.ids[index]
        if self._columns[0] != (key := (self.size.width, used())):
            self._columns = key, columns(self.scrollable_content_region.width)
        shown = self._columns[1]
        marks = Marks(cursor=alert_id == self.at, marked=alert_id in self.marked)
        row = self._rows.get(alert_id)
        return line(row, shown, marks, self._session, self._session.clock()) if row else waiting(shown, marks)

    def _keep_in_sight(self) -> None:
        index = self._place.get(self.at or -1)
        height = self.size.height
        if index is None or not height:
            return
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False, force=True)
