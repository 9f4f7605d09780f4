"""What the desk asks: yes or no, one of several, some words. Nothing happens before Enter, Esc leaves all as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from alerts.triage.cells import Line, Piece, one_line, wrap
from alerts.triage.painted import Bar, strip
from alerts.triage.words import _
from monitor.errors import PollwatchError, RefusedError

_ERROR_LINES = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: the key that chooses it, what it stands for, and its words."""

    key: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the value of the choice, none where there was none to make, and the words typed."""

    value: str | None = None
    words: str = ""


Submit = Callable[[Answer], Awaitable[None]]


def key_line(*keys: tuple[str, str]) -> Line:
    """Keys, each with what it does."""
    return [piece for key, does in keys for piece in ((key, "key"), (f" {does}   ", "text"))]


class Choices(Widget, can_focus=True):
    """A list of choices, each with its key; arrows move, too."""

    DEFAULT_CSS = "Choices { height: auto; width: 1fr; margin: 1 0; }"

    class Chosen(Message):
        """A choice was made by its key or with Enter."""

    def __init__(self, choices: Sequence[Choice], chosen: int | None = None) -> None:
        super().__init__(id="choices")
        self._choices = list(choices)
        self.index = chosen

    @property
    def value(self) -> str | None:
        """What is chosen now."""
        return self._choices[self.index].value if self.index is not None else None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for each."""
        return len(self._choices)

    def render_line(self, y: int) -> Strip:
        """One choice."""
        if y >= len(self._choices):
            return strip(self, [], self.size.width, "bar")
        choice, here = self._choices[y], y == self.index
        line: Line = [("> " if here else "  ", "key"), (f" {choice.key} ", "key"), (f" {choice.words}", "text")]
        return strip(self, line, self.size.width, "cursor" if here else "bar")

    def on_key(self, event: events.Key) -> None:
        """Arrows, Enter, or the key of a choice."""
        if event.key in ("up", "down"):
            step = 1 if event.key == "down" else -1
            start = self.index if self.index is not None else (-1 if step > 0 else 0)
            self.index = (start + step) % len(self._choices)
        elif event.key == "enter" and self.index is not None:
            self.post_message(self.Chosen())
        elif (found := [i for i, choice in enumerate(self._choices) if choice.key == event.character]) != []:
            self.index = found[0]
            self.post_message(self.Chosen())
        else:
            return
        event.stop()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        if event.y < len(self._choices):
            self.index = event.y
            self.post_message(self.Chosen())
            self.refresh()


class Ask(ModalScreen[bool]):
    """A question with choices, with words to type, with both or with neither; then Enter does it.

    ``submit`` does what was asked for; while it refuses, the dialog stays with the reason and what was typed.
    """

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical { width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 0 2 1 2; }
    Ask Input { height: 3; }
    """
    BINDINGS = [("escape", "dismiss(False)")]  # noqa: RUF012 - as Textual wants it

    def __init__(
        self,
        title: str,
        submit: Submit,
        *,
        lines: Sequence[str] = (),
        choices: Sequence[Choice] = (),
        chosen: int | None = None,
        prompt: str = "",
        words: str = "",
    ) -> None:
        super().__init__()
        self.question, self._submit, self._about = title, submit, lines
        self._choices = Choices(choices, chosen) if choices else None
        self._input = Input(words, placeholder=prompt, id="words") if prompt else None
        self._error = ""
        self._busy = False

    def compose(self) -> ComposeResult:
        """Question, choices, words, and what went wrong."""
        with Vertical():
            yield Bar(self._head, id="ask-head")
            if self._choices:
                yield self._choices
            if self._input:
                yield self._input
            yield Bar(self._foot, id="ask-foot")

    def on_mount(self) -> None:
        """The first thing to answer has the keys."""
        first = self._choices or self._input
        if first:
            first.focus()

    def on_choices_chosen(self) -> None:
        """A choice leads on to the words, or does it."""
        if self._input:
            self._input.focus()
        elif self._choices and self._choices.value is not None:
            self._try()

    def on_input_submitted(self) -> None:
        """Enter after the words does it."""
        self._try()

    def on_key(self, event: events.Key) -> None:
        """Enter says yes where nothing else is asked; arrows lead from the words back to the choices."""
        if event.key == "enter" and not self._choices and not self._input:
            event.stop()
            self._try()
        elif event.key == "up" and self._choices and self.focused is self._input:
            event.stop()
            self._choices.focus()

    def _try(self) -> None:
        if not self._busy:
            self._busy = True
            self.run_worker(self._done(), exit_on_error=True)

    async def _done(self) -> None:
        self._say(_("One moment …"))
        answer = Answer(
            self._choices.value if self._choices else None, self._input.value.strip() if self._input else ""
        )
        try:
            await self._submit(answer)
        except RefusedError as error:
            self._say(str(error))
        except PollwatchError as error:
            self._say(_("Not done: {error} Enter tries again.").format(error=f"{error}."))
        else:
            self.dismiss(True)
        finally:
            self._busy = False

    def _say(self, words: str) -> None:
        self._error = words
        self.query_one("#ask-foot", Bar).look()

    def _head(self, cells: int) -> list[Line]:
        title: list[Piece] = [(one_line(self.question), "title")]
        lines = wrap(title, cells)
        for about in self._about:
            lines += wrap([(one_line(about), "text")], cells)[:3]
        return [[], *lines]

    def _foot(self, cells: int) -> list[Line]:
        lines: list[Line] = []
        if self._error:
            lines += wrap([(f"! {one_line(self._error)}", "late")], cells)[:_ERROR_LINES]
        keys = key_line(("Enter", _("does it")), ("Esc", _("leaves it")))
        return [*lines, [], keys]
