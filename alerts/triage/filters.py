"""Which alerts the queue screen shows: the choices, and the words that say what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from alerts.triage import terms
from alerts.triage.cells import Line
from alerts.triage.dialogs import Dialog, key_line
from alerts.triage.painted import Bar
from alerts.triage.reading import Filter
from alerts.triage.terms import N_
from alerts.triage.words import _
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
    yield from (("state", value, terms.state(value)) for value in AlertState)
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
    return ", ".join([*words, *([f"“{shown.words}”"] if shown.words else [])])


class FilterScreen(Dialog[Filter | None]):
    """Space chooses, Enter shows, Esc leaves all as it was."""

    DEFAULT_CSS = """
    FilterScreen { align: center middle; }
    FilterScreen > Vertical { width: 60; max-width: 96%; height: 96%; padding: 0 2; }
    FilterScreen SelectionList { height: 1fr; border: none; }
    """
    BINDINGS = [("escape", "dismiss(None)"), ("f", "show")]  # noqa: RUF012 - as Textual wants it

    def __init__(self, shown: Filter, reviewer: str) -> None:
        super().__init__()
        self._shown, self._reviewer = shown, reviewer

    def compose(self) -> ComposeResult:
        """A list of boxes to tick."""
        chosen = chosen_in(self._shown)
        with Vertical():
            yield Bar(self._head, id="filter-head")
            yield _Boxes(
                *(
                    Selection(Content(words), (group, value), (group, value) in chosen)
                    for group, value, words in options()
                )
            )

    def _head(self, cells: int) -> list[Line]:
        keys = key_line(("Space", _("chooses")), ("Enter", _("shows")), ("Esc", _("leaves it")))
        return [[], [(_("Which alerts? Without a choice: all that wait for a person."), "title")], keys, []]

    def action_show(self) -> None:
        """Show what was chosen."""
        chosen = set(self.query_one(_Boxes).selected)
        self.dismiss(made_of(chosen, self._reviewer, self._shown.words))


class _Boxes(SelectionList[tuple[str, str]]):
    BINDINGS = [("enter", "screen.show")]  # noqa: RUF012 - as Textual wants it
