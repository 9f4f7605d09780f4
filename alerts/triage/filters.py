"""Which alerts the queue screen shows: the choices, and the words that say what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from alerts.triage import terms
from alerts.triage.cells import Line, wrap
from alerts.triage.dialogs import Dialog, key_line
from alerts.triage.painted import Bar, strip
from alerts.triage.reading import Filter
from alerts.triage.terms import N_
from monitor.language import _, term
from monitor.store.alert_order import Held, Wanted
from monitor.types import WAITING, AlertState, ClaimType, Lang, Review

_HELD = {"mine": N_("held by you"), "others": N_("held by others"), "nobody": N_("held by nobody")}
_LANGS = {Lang.EN: N_("English"), Lang.HANT: N_("Traditional Chinese"), Lang.HANS: N_("Simplified Chinese")}
_REVIEWS = {Review.SECOND: N_("asks for a second opinion"), Review.LEAD: N_("asks for the lead")}
_HIDDEN = {"suppressed": N_("hidden by silences or clarifications")}


def options() -> Iterator[tuple[str, str, str]]:
    """Group, value and words of every choice."""
    yield from (("priority", str(number), f"P{number}") for number in range(1, 5))
    yield from (("held", value, _(_HELD[value])) for value in get_args(Held))
    yield from (("review", value, _(words)) for value, words in _REVIEWS.items())
    yield from (("lang", value, _(words)) for value, words in _LANGS.items())
    yield from (("state", value, term("state", value)) for value in AlertState)
    yield from (("hidden", value, _(words)) for value, words in _HIDDEN.items())
    yield from (("claim_type", value, terms.claim_type(value)) for value in ClaimType)


def chosen_in(shown: Filter) -> set[tuple[str, str]]:
    """Group and value of what a filter has chosen."""
    wanted = shown.wanted
    found = {("priority", str(number)) for number in wanted.priorities}
    found |= {("lang", value) for value in wanted.langs}
    found |= {("claim_type", value) for value in wanted.claim_types}
    found |= {("state", value) for value in wanted.states} if wanted.states != WAITING else set()
    found |= {("review", wanted.review)} if wanted.review else set()
    found |= {("held", wanted.held)} if wanted.held else set()
    return found | ({("hidden", "suppressed")} if wanted.suppressed else set())


def made_of(chosen: set[tuple[str, str]], reviewer: str, words: str) -> Filter:
    """The filter of these choices; in a group without a choice nothing is left out. Of several holders none counts."""

    def of(group: str) -> list[str]:
        return sorted(value for name, value in chosen if name == group)

    held: Any = of("held")
    review = of("review")
    states = tuple(AlertState(value) for value in of("state"))
    wanted = Wanted(
        states=states or WAITING,
        priorities=tuple(map(int, of("priority"))),
        langs=tuple(of("lang")),
        claim_types=tuple(map(ClaimType, of("claim_type"))),
        review=Review(review[0]) if len(review) == 1 else None,
        held=held[0] if len(held) == 1 else None,
        reviewer=reviewer,
        suppressed=bool(of("hidden")),
    )
    return Filter(wanted, words)


def described(shown: Filter) -> str:
    """What a filter has chosen, in words."""
    chosen = chosen_in(shown)
    words = [said for group, value, said in options() if (group, value) in chosen]
    return _(", ").join([*words, *([_("“{word}”").format(word=shown.words)] if shown.words else [])])


class Boxes(ScrollView, can_focus=True):
    """A list of boxes to tick: a ticked one has a sign, not only a colour."""

    DEFAULT_CSS = "Boxes { width: 1fr; height: 1fr; overflow-x: hidden; background: $surface; }"
    BINDINGS = [  # noqa: RUF012 - as Textual wants it
        ("up,k", "move(-1)"),
        ("down,j", "move(1)"),
        ("home", "move(-99)"),
        ("end", "move(99)"),
        ("space", "tick"),
        ("enter", "screen.show"),
    ]

    def __init__(self, ticked: set[tuple[str, str]]) -> None:
        super().__init__(id="boxes")
        self.ticked = set(ticked)
        self._options = list(options())
        self._at = 0

    def on_resize(self) -> None:
        """One line for each."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._options))

    def action_move(self, lines: int) -> None:
        """Up or down, within the list."""
        self._at = max(0, min(self._at + lines, len(self._options) - 1))
        top, height = self.scroll_offset.y, self.size.height
        if not top <= self._at < top + height:
            self.scroll_to(y=self._at if self._at < top else self._at - height + 1, animate=False, force=True)
        self.refresh()

    def action_tick(self) -> None:
        """Choose this one, or not any more."""
        group, value, _words = self._options[self._at]
        self.ticked ^= {(group, value)}
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click ticks."""
        if self.scroll_offset.y + event.y < len(self._options):
            self._at = self.scroll_offset.y + event.y
            self.action_tick()

    def render_line(self, y: int) -> Strip:
        """One box."""
        index = self.scroll_offset.y + y
        cells = self.scrollable_content_region.width
        if index >= len(self._options):
            return strip(self, [], cells, "bar")
        group, value, words = self._options[index]
        here, ticked = index == self._at, (group, value) in self.ticked
        line: Line = [("> " if here else "  ", "key"), ("[x] " if ticked else "[ ] ", "key"), (words, "text")]
        return strip(self, line, cells, "cursor" if here else "bar")


class FilterScreen(Dialog[Filter | None]):
    """Space chooses, Enter shows, Esc leaves all as it was."""

    DEFAULT_CSS = """
    FilterScreen { align: center middle; }
    FilterScreen > Vertical { width: 60; max-width: 96%; height: 96%; padding: 0 2; }
    """
    BINDINGS = [("escape", "dismiss(None)"), ("f", "show")]  # noqa: RUF012 - as Textual wants it

    def __init__(self, shown: Filter, reviewer: str) -> None:
        super().__init__()
        self._shown, self._reviewer = shown, reviewer

    def compose(self) -> ComposeResult:
        """What is asked, and the boxes."""
        with Vertical():
            yield Bar(self._head, id="filter-head")
            yield Boxes(chosen_in(self._shown))

    def _head(self, cells: int) -> list[Line]:
        keys = key_line(("Space", _("chooses")), ("Enter", _("shows")), ("Esc", _("leaves it")))
        title = _("Which alerts? Without a choice: all that wait for a person.")
        return [[], *wrap([(title, "title")], cells), keys, []]

    def action_show(self) -> None:
        """Show what was chosen."""
        self.dismiss(made_of(self.query_one(Boxes).ticked, self._reviewer, self._shown.words))
