"""The triage desk: a full-screen program for reviewers.

The screen never waits for the database: whatever asks it is done in threads. A watch looks twice a second whether any
alert was acted on and reads again what is seen; when the database does not answer, a banner says so, what was read
stays on the screen, and the watch goes on until it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable

from textual import events, work
from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen

from alerts.triage import colours, terms
from alerts.triage.alert_screen import AlertScreen
from alerts.triage.background import collect_seldom, quiet, tidy
from alerts.triage.commands import DeskCommands, palette
from alerts.triage.desk_screen import DeskScreen
from alerts.triage.leases import Leases
from alerts.triage.queue_screen import QueueScreen
from alerts.triage.session import Session
from alerts.triage.thrift import ThriftyDriver
from monitor.errors import NotFoundError, PollwatchError, RefusedError, StoreError
from monitor.language import LANGUAGES, _, use, used

LOOK_S = 0.5  # between two looks whether something was done
WHOLE_S = 5.0  # what changes without an act (items that came, scores) is read again so often
SILENT_S = 3.0  # without an answer for so long, the banner says so
PATIENCE_S = 0.7  # an act that takes longer says so
GOING_S = 4.0  # what is held is given back in this time, or it runs out by itself
TIDY_S = 30.0  # between two looks through all objects, each REST_S after the last key at the earliest
REST_S = 3.0
_MESSAGE_S = 30.0
_QUIET_S = 1.0
_ENTER_S = 0.5  # a widget that is there has seen its key by then
_ALWAYS = ("ctrl+c", "ctrl+q")  # keys that never wait


class Desk(App[None]):
    """The program. Its screens act; it knows what is held, and whether the store answers."""

    CSS = """
    Screen { background: $background; color: $foreground; }
    ModalScreen { background: transparent; }
    ModalScreen > Vertical { background: $surface; border: round $primary; }
    Input { border: tall $primary; height: 3; }
    Input > .input--placeholder { color: $text-muted; }
    """
    COMMANDS = {DeskCommands}  # noqa: RUF012 - as Textual wants it
    BINDINGS = [Binding("ctrl+c,ctrl+q", "leave", priority=True, show=False)]  # noqa: RUF012

    def __init__(self, session: Session, *, dark: bool = True) -> None:
        # Without colour, Textual itself is to leave all of it out, not to make grey of it.
        super().__init__(driver_class=ThriftyDriver, ansi_color=True if "NO_COLOR" in os.environ else None)
        self.session = session
        self.leases = Leases(session)
        self.decided: list[int] = []  # by this desk, the last one last
        self.acting = False
        self.message: tuple[str, bool] = ("", False)
        self.trouble = ""  # what the banner says
        self._failed = False  # the store has said so, not only kept silent
        self.animation_level = "none"
        for theme in colours.THEMES:
            self.register_theme(colours.as_textual(theme))
        self.theme = (colours.DARK if dark else colours.LIGHT).name
        self._said_at = 0.0
        self._going_back = False
        self._answered_at = time.monotonic()
        self._head = -1
        self._whole_at = 0.0
        self._again = asyncio.Event()
        self._typed: list[events.Key] = []  # before there was a dialog for it
        self._typed_at = self._tidied_at = time.monotonic()

    def get_default_screen(self) -> QueueScreen:
        """The queue lies under everything."""
        return QueueScreen(self.session)

    def on_mount(self) -> None:
        """Begin to watch."""
        self._watch()
        self.set_interval(1, self._tick)
        self.set_interval(5, self._renew)

    async def on_unmount(self) -> None:
        """Let what is being read come to its end, so that no connection is torn."""
        await quiet(_QUIET_S)

    @property
    def queue_screen(self) -> QueueScreen:
        """The screen under everything."""
        return next(screen for screen in self.screen_stack if isinstance(screen, QueueScreen))

    @property
    def on_alert(self) -> AlertScreen | None:
        """The alert's screen, when one is open."""
        return next((screen for screen in self.screen_stack if isinstance(screen, AlertScreen)), None)

    def say(self, sentence: str, *, alarm: bool = False) -> None:
        """What just happened, above the keys of every screen."""
        self.message = (sentence, alarm)
        self._said_at = time.monotonic()
        self._look_everywhere()

    @work
    async def perform(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do what a key asked for; what refused it is said."""

        def wait() -> None:
            if not isinstance(self.screen, ModalScreen):
                self.say(_("One moment …"))

        patience = self.set_timer(PATIENCE_S, wait)
        try:
            await act()
        except RefusedError as error:
            self.refuse(terms.told(error, self.session.zone))
        except PollwatchError as error:
            self.refuse(_("Not done: {error}").format(error=error))
        finally:
            patience.stop()
            self.acting = False
            if self.message[0] == _("One moment …"):
                self.say("")
        await self._settle()

    async def show_alert(self, alert_id: int) -> None:
        """Open an alert's screen; another one's is left. Raises NotFoundError, StoreError."""
        sheet = await self.session.sheet(alert_id)
        here = self.on_alert
        if here is not None and here.alert_id == alert_id:
            here.had_lease = alert_id in self.leases.until
            here.set_sheet(sheet)
            return
        if here is not None:
            await self._leave_alert(here)
        await self.push_screen(AlertScreen(sheet))

    def back_to_queue(self) -> None:
        """Leave the alert's screen, as soon as no dialog lies over it."""
        self._going_back = True

    async def _settle(self) -> None:
        """After an act: leave what is to be left, and show what the store says now."""
        if self._going_back:
            self._going_back = False
            if self.on_alert is not None:
                await self._leave_alert(self.on_alert)
        self.read_again()
        self.call_later(self._type_on)

    async def _leave_alert(self, screen: AlertScreen) -> None:
        held = screen.alert_id in self.leases.until
        if self.screen is screen:
            await self.pop_screen()
        try:
            await self.leases.release(screen.alert_id)
        except StoreError as error:
            self.lost(error)
        else:
            if held:
                self.say(_("Alert {id} is back in the queue.").format(id=screen.alert_id))

    def read_again(self) -> None:
        """Let the watch read everything now."""
        self._head = -1
        self._again.set()

    @work
    async def _watch(self) -> None:
        while True:
            try:
                head = await self.session.head()
                self._found()
                whole = self._head < 0 or time.monotonic() - self._whole_at >= WHOLE_S
                if whole or head != self._head:
                    self._head = head
                    if whole:
                        self._whole_at = time.monotonic()
                    await self._reload(whole=whole)
                    self._found()
            except StoreError as error:
                self.lost(error)
            try:
                await asyncio.wait_for(self._again.wait(), LOOK_S)
            except TimeoutError:
                continue
            finally:
                self._again.clear()

    async def _reload(self, *, whole: bool) -> None:
        screen = self.on_alert
        if screen is not None:
            try:
                await screen.reload(whole=whole)
            except NotFoundError as error:
                self.say(terms.told(error, self.session.zone), alarm=True)
        if self.screen_stack:  # else the desk is being left
            await self.queue_screen.reload(whole=whole)

    def refuse(self, sentence: str) -> None:
        """Say why not; what was typed meanwhile was for a dialog that does not open, and is no key of the screen."""
        self._typed.clear()
        self.say(sentence, alarm=True)

    def lost(self, error: StoreError) -> None:
        """The store does not work: say so until it does."""
        self._failed = True
        self._head = -1  # everything is read again then
        words = _("The database does not answer: {error}. What you see may be old; trying again.")
        self._warn(words.format(error=error))
        self._look_everywhere()

    def _warn(self, words: str) -> None:
        self.trouble = words
        if not any(isinstance(screen, QueueScreen) and screen.loaded for screen in self.screen_stack):
            self._typed.clear()  # it waited for a queue that does not come

    def _found(self) -> None:
        self._answered_at = time.monotonic()
        if self.trouble:
            self.trouble = ""
            if self._failed:
                self.say(_("The database is back."))
        self._failed = False

    def _tick(self) -> None:
        """Time goes on: countdowns, leases, and a database that hangs."""
        now = time.monotonic()
        if now - self._answered_at > SILENT_S and not self.trouble:
            self._warn(_("The database has not answered for a while. What you see may be old; waiting."))
        if self.message[0] and now - self._said_at > _MESSAGE_S:
            self.message = ("", False)
        self._look_everywhere()
        if now - self._typed_at > REST_S and now - self._tidied_at > TIDY_S:
            self._tidied_at = now
            tidy()

    async def _renew(self) -> None:
        try:
            lost = await self.leases.renew()
        except StoreError as error:
            self.lost(error)
            return
        for sentence in lost.values():
            self.say(sentence, alarm=True)
            self.read_again()

    def _look_everywhere(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DeskScreen) and screen.is_mounted:
                screen.look()

    async def on_event(self, event: events.Event) -> None:
        """Whoever presses a key is there; a key that comes before the dialog it is meant for waits for that."""
        if isinstance(event, events.Key | events.MouseDown | events.Paste):
            self.leases.active()
            self._typed_at = time.monotonic()
        if isinstance(event, events.Key) and event.key not in _ALWAYS and (self._typed or not self._takes_keys):
            self._typed.append(event)
        else:
            await self._hand_on(event)

    @property
    def _takes_keys(self) -> bool:
        screen = self.screen
        if isinstance(screen, QueueScreen) and not screen.loaded and not self.trouble:
            return False  # there is nothing yet that they could be for
        return bool(getattr(screen, "takes_keys", True)) and (not self.acting or isinstance(screen, ModalScreen))

    def on_takes_keys(self) -> None:
        """A dialog is there, or the queue."""
        self.call_later(self._type_on)

    async def _type_on(self) -> None:
        """Hand on what waited, in its order, as long as somebody takes it."""
        while self._typed and self._takes_keys:
            await self._hand_on(self._typed[0])
            del self._typed[0]

    async def _hand_on(self, event: events.Event) -> None:
        """A key of a screen acts before the next one is looked at: what it opens may be what the next one is for."""
        if isinstance(event, events.Key) and isinstance(self.screen, DeskScreen):
            found = self.screen.active_bindings.get(event.key)
            if found is not None and found.enabled:
                await self.run_action(found.binding.action, found.node)
                return
        await super().on_event(event)
        if isinstance(event, events.Key) and event.key == "enter":
            await self._entered()

    async def _entered(self) -> None:
        """Until whatever has the keys has seen the Enter: the next key may be for what comes after it."""
        seen = asyncio.Event()
        (self.focused or self.screen).call_later(seen.set)
        with contextlib.suppress(TimeoutError):  # it has gone
            await asyncio.wait_for(seen.wait(), _ENTER_S)

    def other_language(self) -> None:
        """The next of the languages."""
        use(LANGUAGES[(LANGUAGES.index(used()) + 1) % len(LANGUAGES)])
        self.say("")  # what was said before was in the other
        self.read_again()
        self._repaint()

    def other_theme(self) -> None:
        """Light for dark, and dark for light."""
        self.theme = next(theme.name for theme in colours.THEMES if theme.name != self.theme)
        self._repaint()

    def _repaint(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DeskScreen):
                screen.repaint()

    def redraw(self) -> None:
        """Send the whole screen again."""
        if isinstance(self._driver, ThriftyDriver):
            self._driver.forget()
        self.refresh(layout=True)

    def action_command_palette(self) -> None:
        """Commands by name, in the language in use."""
        if isinstance(self.screen, DeskScreen):
            self.push_screen(palette())

    def action_leave(self) -> None:
        """From wherever one is."""
        self.leave()

    @work
    async def leave(self) -> None:
        """Give back what is held, and end."""
        try:
            await asyncio.wait_for(self.leases.release_all(), GOING_S)
        except (PollwatchError, TimeoutError):
            self.log.warning("leases could not be given back; they run out by themselves")
        self.exit()


def sit_down(session: Session, *, dark: bool) -> int:
    """Run the desk until it is left; whatever ends it, what it holds is given back. Returns the exit code."""
    return asyncio.run(_sit(session, dark=dark))


async def _sit(session: Session, *, dark: bool) -> int:
    desk = Desk(session, dark=dark)
    collect_seldom()
    loop = asyncio.get_running_loop()
    ended_by: list[int] = []

    def told_to_go(number: int) -> None:
        if not ended_by:
            ended_by.append(number)
            threading.Thread(target=_go, args=(desk, loop, number), daemon=True).start()

    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_go, number)
    try:
        await desk.run_async()
    finally:
        desk.leases.release_now(GOING_S)
    return 128 + ended_by[0] if ended_by else desk.return_code or 0


def _go(desk: Desk, loop: asyncio.AbstractEventLoop, number: int) -> None:
    """At a signal: the leases first, for the terminal may be gone; then the screen, and if it hangs, without it."""
    desk.leases.release_now(GOING_S)
    loop.call_soon_threadsafe(desk.exit)
    time.sleep(2)
    os._exit(128 + number)
