"""Every key of the desk, once: what the screens bind, the footer and the help show, and the palette offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alerts.triage.cells import Line, width
from alerts.triage.terms import N_
from monitor.language import _

Place = Literal["queue", "alert"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it is called in the footer, and what it does in one sentence."""

    key: str  # as Textual calls it
    action: str
    label: str
    does: str
    places: tuple[Place, ...] = ("queue", "alert")
    sign: str = ""  # as people call it, where that is another word
    footer: bool = True

    @property
    def shown(self) -> str:
        """How the key is written on the screen."""
        return self.sign or self.key


_QUEUE: tuple[Place, ...] = ("queue",)
_ALERT: tuple[Place, ...] = ("alert",)

KEYS: tuple[Key, ...] = (
    Key("question_mark", "help", N_("help"), N_("Show all keys."), sign="?"),
    Key("n", "next", N_("next"), N_("Take the most urgent alert that is free.")),
    Key("t", "take", N_("take"), N_("Take this alert: nobody else can decide it while you hold it.")),
    Key("enter", "open", N_("look"), N_("Look at the alert without taking it."), _QUEUE, "Enter"),
    Key("escape", "leave", N_("back"), N_("Back to the queue; an alert that you hold is given back."), _ALERT, "Esc"),
    Key("c", "decide('clarify')", N_("clarify"), N_("Clarify the claim: asks for the verdict and the reason.")),
    Key("r", "decide('refer')", N_("refer"), N_("Refer it to another body, with a reason.")),
    Key("w", "decide('watch')", N_("watch"), N_("Watch it: nothing to do now, with a reason.")),
    Key(
        "d",
        "put_aside",
        N_("dismiss"),
        N_("Dismiss it with one of the reasons; in the queue all marked alerts at once."),
    ),
    Key(
        "m",
        "duplicate",
        N_("duplicate"),
        N_("Close it as a duplicate: its items go to another alert; in the queue those of all marked alerts."),
    ),
    Key("s", "snooze", N_("snooze"), N_("Put it off until a time, with a reason.")),
    Key("2", "second", N_("2nd opinion"), N_("Take the most urgent alert that asks for a second opinion.")),
    Key("u", "undo", N_("undo"), N_("Take back your last decision, within ten minutes.")),
    Key("N", "note", N_("note"), N_("Write a note on the alert, for all to read.")),
    Key(
        "space",
        "mark",
        N_("mark"),
        N_("Mark the alert, to dismiss several at once, or to make one incident of them."),
        _QUEUE,
        "Space",
    ),
    Key(
        "slash",
        "find",
        N_("find"),
        N_("Show only alerts with these words in the title, or the one with this number."),
        _QUEUE,
        "/",
    ),
    Key("f", "filters", N_("filter"), N_("Choose which alerts are shown."), _QUEUE),
    Key("x", "clear", N_("show all"), N_("End the filter: show all alerts that wait for a person."), _QUEUE),
    Key("S", "search", N_("search"), N_("Search in all alerts, decided ones too.")),
    Key("plus", "tip", N_("tip"), N_("Take in what a hotline or a colleague reported."), sign="+"),
    Key("o", "browse", N_("web page"), N_("Open the link of the claim in a browser.")),
    Key("y", "copy", N_("copy"), N_("Copy title and link to the clipboard of the terminal.")),
    Key("L", "language", N_("中文"), N_("Change the language of the desk.")),
    Key("T", "theme", N_("light/dark"), N_("Change between a dark and a light screen."), footer=False),
    Key(
        "R", "release", N_("release"), N_("Take an alert away from somebody who holds it, with a reason."), footer=False
    ),
    Key(
        "B",
        "send_back",
        N_("send back"),
        N_("As the second reviewer: ask for a new first opinion, with a reason."),
        footer=False,
    ),
    Key("A", "reopen", N_("reopen"), N_("Take up a decided alert again, or wake a snoozed one."), footer=False),
    Key("ctrl+p", "app.command_palette", N_("commands"), N_("Find a command by its name."), sign="Ctrl+P"),
    Key(
        "ctrl+l",
        "redraw",
        N_("redraw"),
        N_("Draw the whole screen again, when something else wrote on it."),
        sign="Ctrl+L",
        footer=False,
    ),
    Key("q", "leave_desk", N_("quit"), N_("Leave the desk; what you hold is given back.")),
)


def at(place: Place) -> Sequence[Key]:
    """The keys of one screen."""
    return [key for key in KEYS if place in key.places]


def footer(place: Place, cells: int) -> list[Line]:
    """The keys in at most two lines, as many as there is room for."""
    lines: list[Line] = [[]]
    used = 0
    for key in at(place):
        if not key.footer:
            continue
        needs = width(key.shown) + 1 + width(_(key.label)) + 2
        if used + needs > cells + 1:
            if len(lines) == 2:
                break
            lines.append([])
            used = 0
        lines[-1] += [(key.shown, "key"), (f" {_(key.label)}  ", "text")]
        used += needs
    return lines


def help_lines(place: Place) -> list[tuple[str, str]]:
    """Every key of a screen with its sentence."""
    return [(key.shown, _(key.does)) for key in at(place)]
