"""What the desk asks: yes or no, one of several, some words. Nothing happens before Enter, Esc leaves all as it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from alerts.triage import terms
from alerts.triage.cells import Line, Piece, one_line, wrap
from alerts.triage.painted import Bar, strip
from monitor.errors import PollwatchError, RefusedError
from monitor.language import _

T = TypeVar("T")
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


class TakesKeys(Message):
    """A dialog, or the queue, is ready for what was typed while it was not."""


Submit = Callable[[Answer], Awaitable[None]]


def key_line(*keys: tuple[str, str]) -> Line:
    """Keys, each with what it does."""
    return [piece for key, does in keys for piece in ((key, "key"), (f" {does}   ", "text"))]


class Choices(Widget, can_focus=False):
    """A list of choices, each with its key."""

    DEFAULT_CSS = "Choices { height: auto; width: 1fr; margin: 1 0; }"

    class Clicked(Message):
        """One was chosen with the mouse."""

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

    def move(self, step: int) -> None:
        """The next, or the one before."""
        start = self.index if self.index is not None else (-1 if step > 0 else 0)
        self.choose((start + step) % len(self._choices))

    def choose_by(self, key: str | None) -> bool:
        """Choose by its key; whether there is one."""
        found = [index for index, choice in enumerate(self._choices) if choice.key == key]
        if found:
            self.choose(found[0])
        return bool(found)

    def choose(self, index: int) -> None:
        """Choose by its place."""
        self.index = index
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        if event.y < len(self._choices):
            self.choose(event.y)
            self.post_message(self.Clicked())


class Field(Input):
    """Words, and before them the choice: one field takes all keys, in the order in which they were typed.

    Were the choice a field of its own, a key that comes right behind another, as over a slow line, would be taken for
    a second choice while the first one still moves the focus.
    """

    def __init__(
        self, words: str, prompt: str, choices: Choices | None, enter: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        super().__init__(words, placeholder=prompt, id="words", select_on_focus=bool(words))  # typing replaces it
        self._choices, self._enter, self._say = choices, enter, say
        self.choosing = choices is not None

    def on_key(self, event: events.Key) -> None:
        """While there is to choose: arrows, Enter, the keys of the choices. Then words, until Enter."""
        choices = self._choices
        if choices is not None and self.choosing:
            if not self._chosen(choices, event):
                return
        elif event.key == "enter":
            self._enter()
        elif event.key == "up" and choices is not None:
            self.choosing = True
        else:
            return
        event.prevent_default()
        if event.key not in ("escape", "tab", "shift+tab", "ctrl+c", "ctrl+q"):
            event.stop()

    def _chosen(self, choices: Choices, event: events.Key) -> bool:
        """Whether a key was for the choice; with one made, what is no key of another begins the words."""
        if event.key in ("up", "down"):
            choices.move(1 if event.key == "down" else -1)
        elif event.key == "enter" or choices.choose_by(event.character):
            self.choosing = choices.index is None
        elif event.is_printable and choices.index is not None:
            self.choosing = False
            return False
        missing = choices.index is None and (event.is_printable or event.key == "enter")
        self._say(_("Choose first: by its key, or with the arrows.") if missing else "")
        return True


class Dialog(ModalScreen[T]):
    """What lies over a screen for a while. Keys that come before it is there wait for it."""

    takes_keys = False

    def on_mount(self) -> None:
        """The first field has the keys, as soon as it is drawn."""
        self.call_after_refresh(self.take_keys)

    def take_keys(self) -> None:
        """From now on keys are for this."""
        self.takes_keys = True
        self.post_message(TakesKeys())


class Ask(Dialog[bool]):
    """A question, with words to type, with choices before them, or with neither; then Enter does it.

    ``submit`` does what was asked for; while it refuses, the dialog stays with the reason and what was typed.
    """

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical { width: 76; max-width: 96%; height: auto; max-height: 96%; padding: 0 2 1 2; }
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
        self._field = Field(words, prompt, self._choices, self._try, self._say) if prompt else None
        self._error = ""

    def compose(self) -> ComposeResult:
        """Question, choices, words, and what went wrong."""
        with Vertical():
            yield Bar(self._head, id="ask-head")
            if self._choices:
                yield self._choices
            if self._field:
                yield self._field
            yield Bar(self._foot, id="ask-foot")

    def on_choices_clicked(self) -> None:
        """On to the words."""
        if self._field:
            self._field.choosing = False

    def on_key(self, event: events.Key) -> None:
        """Enter says yes where nothing else is asked."""
        if event.key == "enter" and not self._field:
            event.stop()
            self._try()

    def _try(self) -> None:
        if self.takes_keys:
            self.takes_keys = False  # they wait until it is done, or refused
            self._done()

    @work
    async def _done(self) -> None:
        self._say(_("One moment …"))
        words = self._field.value.strip() if self._field else ""
        try:
            await self._submit(Answer(self._choices.value if self._choices else None, words))
        except RefusedError as error:
            self._say(terms.told(error))
        except PollwatchError as error:
            self._say(_("Not done: {error} Enter tries again.").format(error=f"{error}."))
        else:
            self.dismiss(True)
            return
        self.take_keys()

    def _say(self, words: str) -> None:
        if words != self._error:
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
