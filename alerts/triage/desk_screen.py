"""What the screens of the desk share: the bars at their edges."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding, BindingType

from alerts.triage import keys
from alerts.triage.acting import Acting
from alerts.triage.cells import Line, one_line, wrap
from alerts.triage.help_screen import HelpScreen
from alerts.triage.keys import Place
from alerts.triage.painted import Bar
from alerts.triage.search_screen import SearchScreen
from monitor.language import _

_MESSAGE_LINES = 3


def bindings(place: Place) -> list[BindingType]:
    """The keys of a screen, as Textual wants them."""
    return [Binding(key.key, key.action, key.label, show=False) for key in keys.at(place)]


class DeskScreen(Acting):
    """A screen with a banner for what is wrong, a line for what just happened, and the keys."""

    place: Place

    def bars_above(self) -> Iterator[Bar]:
        """The line that says where one is, and the banner."""
        yield Bar(self.head, id="head")
        yield Bar(self._banner, "alarm", id="banner")

    def bars_below(self) -> Iterator[Bar]:
        """What just happened, and the keys."""
        yield Bar(self._message, "base", id="message")
        yield Bar(lambda cells: keys.footer(self.place, cells), id="footer")

    def head(self, cells: int) -> list[Line]:
        """The line at the top."""
        raise NotImplementedError

    def look(self) -> None:
        """Draw again what says something else now."""
        for bar in self.query(Bar):
            bar.look()

    def repaint(self) -> None:
        """Draw everything again: in another language, or other colours."""
        for bar in self.query(Bar):
            bar.repaint()

    async def reload(self, *, whole: bool = True) -> None:
        """Read again what is shown; ``whole``: also what changes without an entry in the audit. Raises StoreError."""
        raise NotImplementedError

    def _banner(self, cells: int) -> list[Line]:
        return [] if not self.desk.trouble else wrap([(f"! {one_line(self.desk.trouble)}", "warn")], cells)

    def _message(self, cells: int) -> list[Line]:
        words, alarm = self.desk.message
        if not words:
            return []
        return wrap([(one_line(words), "late" if alarm else "mine")], cells)[:_MESSAGE_LINES]

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen(self.place))

    def action_search(self) -> None:
        """In all alerts."""

        async def work() -> None:
            found = await self.app.push_screen_wait(SearchScreen(self.desk.session))
            if found is not None:
                await self.desk.show_alert(found)

        self._start(work)

    def action_language(self) -> None:
        """The other language."""
        self.desk.other_language()

    def action_theme(self) -> None:
        """Dark, or light."""
        self.desk.other_theme()

    def action_redraw(self) -> None:
        """All of it, whatever the terminal shows."""
        self.desk.redraw()

    def action_leave_desk(self) -> None:
        """Give back what is held, and go."""
        self.desk.leave()

    def title_line(self, place: str) -> Line:
        """Program, place, and who sits here."""
        return [
            ("pollwatch ", "head"),
            (place, "title"),
            ("  " + _("you are") + " ", "dim"),
            (one_line(self.desk.session.reviewer), "mine"),
        ]
