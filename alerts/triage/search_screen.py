"""Search in all alerts, decided ones too: words above, what they found below."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from alerts.triage import reading, terms
from alerts.triage.cells import Line, one_line, wrap
from alerts.triage.dialogs import Dialog
from alerts.triage.painted import Bar
from alerts.triage.session import Session
from monitor.errors import PollwatchError
from monitor.language import _, ngettext
from monitor.types import SearchHit

SHORTEST = 2  # characters; one alone stands nearly everywhere


class SearchScreen(Dialog[int | None]):
    """Ends with the number of the alert to open, or None."""

    DEFAULT_CSS = """
    SearchScreen { align: center middle; }
    SearchScreen > Vertical { width: 110; max-width: 98%; height: 96%; padding: 0 2; }
    SearchScreen OptionList { height: 1fr; border: none; }
    """
    BINDINGS = [("escape", "dismiss(None)"), ("down", "to_hits")]  # noqa: RUF012 - as Textual wants it

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._hits: Sequence[SearchHit] = ()
        self._said = ""

    def compose(self) -> ComposeResult:
        """Words, what was found, and the alerts."""
        with Vertical():
            yield Bar(self._head, id="search-head")
            yield Input(placeholder=_("Words, in either script"), id="search-words")
            yield Bar(self._foot, id="search-said")
            yield OptionList(id="hits", markup=False)

    def _head(self, cells: int) -> list[Line]:
        return [[], [(_("Search in all alerts, decided ones too"), "title")]]

    def _foot(self, cells: int) -> list[Line]:
        hint = _("Enter to choose") if self._hits else ""
        return wrap([(one_line("  ".join((self._said, hint))), "dim")], cells) if self._said else []

    @on(Input.Changed)
    def _look_for(self) -> None:
        self._search(choose=False)

    @on(Input.Submitted)
    def _choose(self) -> None:
        self._search(choose=True)  # what was typed last may still be looked for

    @work(exclusive=True)
    async def _search(self, *, choose: bool) -> None:
        words = self.query_one(Input).value.strip()
        if len(words) < SHORTEST:
            self._show((), "")
            return
        try:
            hits = await self._session.ask(reading.search, words)
        except PollwatchError as error:
            self._show((), terms.told(error))
            return
        count = len(hits)
        said = ngettext("{count} found", "{count} found", count).format(count=count)
        self._show(hits, said if count < reading.FOUND else _("More than {count} found").format(count=count))
        if choose:
            self.action_to_hits()

    def _show(self, hits: Sequence[SearchHit], said: str) -> None:
        self._hits, self._said = hits, said
        found = self.query_one(OptionList)
        found.clear_options()
        found.add_options([Option(Content(self._words(hit))) for hit in hits])
        self.query_one("#search-said", Bar).look()

    def _words(self, hit: SearchHit) -> str:
        alert = _("alert {id}").format(id=hit.alert_id) if hit.alert_id is not None else _("no alert")
        when = terms.at(hit.at, self._session.zone)
        return one_line(" ".join((alert, when, hit.outlet or "", hit.title, hit.excerpt)))

    def action_to_hits(self) -> None:
        """From the words to what was found."""
        hits = self.query_one(OptionList)
        if self._hits:
            hits.highlighted = 0
            hits.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        hit = self._hits[event.option_index]
        if hit.alert_id is not None:
            self.dismiss(hit.alert_id)
