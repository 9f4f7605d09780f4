"""The command palette: every key of the screen by its name, in the language in use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider

from alerts.triage import keys
from monitor.language import _

if TYPE_CHECKING:
    from alerts.triage.desk_screen import DeskScreen


_GOING_S = 0.1


class DeskCommands(Provider):
    """What the screen under the palette can do."""

    def _known(self) -> list[tuple[str, str, Callable[[], Any]]]:
        screen: DeskScreen = self.screen  # type: ignore[assignment]  # there are no others under a palette
        return [
            (f"{_(key.label)} ({key.shown})", _(key.does), partial(_after, screen, key.action))
            for key in keys.at(screen.place)
            if key.action != "app.command_palette"
        ]

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """All of them, before a word is typed."""
        for name, sentence, run in self._known():
            yield DiscoveryHit(name, run, help=sentence)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Those whose name or sentence is like the words."""
        matcher = self.matcher(query)
        for name, sentence, run in self._known():
            score = max(matcher.match(name), matcher.match(sentence) / 4)  # the name goes first
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=sentence)


def _after(screen: DeskScreen, action: str) -> None:
    """Do it when the palette has gone: what opens before that is drawn no more."""
    screen.set_timer(_GOING_S, partial(screen.run_action, action))


def palette() -> CommandPalette:
    """The palette, asking in the language in use."""
    return CommandPalette(placeholder=_("What do you want to do?"))
