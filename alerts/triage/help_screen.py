"""All keys of a screen, each with a sentence."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from alerts.triage import keys
from alerts.triage.cells import Line, wrap
from alerts.triage.dialogs import Dialog
from alerts.triage.painted import Reader
from monitor.language import _


class HelpScreen(Dialog[None]):
    """Esc, `?` or `q` close it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 90; max-width: 96%; height: 96%; padding: 1 2; }
    """
    BINDINGS = [("escape,question_mark,q", "dismiss")]  # noqa: RUF012 - as Textual wants it

    def __init__(self, place: keys.Place) -> None:
        super().__init__()
        self._place = place

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical():
            yield Reader(self._lines, id="help")

    def _lines(self, cells: int) -> list[Line]:
        lines: list[Line] = [[(_("All keys"), "title")], []]
        for sign, sentence in keys.help_lines(self._place):
            lines += wrap([(f"{sign:<8}", "key"), (sentence, "text")], cells, indent=8)
        about = (
            _("Nothing is decided before Enter in a dialog, and a decision can be taken back for ten minutes (u)."),
            _("An alert that you hold is yours alone; the lease is renewed while you look at it."),
            _("A score is a reason to look, never a finding."),
            _("Esc closes this."),
        )
        for sentence in about:
            lines += [[], *wrap([(sentence, "dim")], cells)]
        return lines
