"""What a reviewer does with an alert, from the queue or from its own screen: ask, act, say what came of it."""

from __future__ import annotations

import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from textual.screen import Screen

from alerts import queue
from alerts.transitions import DismissReason
from alerts.triage import duplicates, reading, terms
from alerts.triage.background import in_thread
from alerts.triage.cells import one_line
from alerts.triage.dialogs import Answer, Ask, Choice
from alerts.triage.session import Session
from monitor.errors import RefusedError
from monitor.language import _, term
from monitor.tips import Tip, add_tip
from monitor.types import AlertState, Decision, Review, Said, Verdict

if TYPE_CHECKING:
    from alerts.triage.app import Desk

_NONE = "-"
_VERDICT_KEYS = dict(zip(Verdict, "fmputsox", strict=True))
_DISMISS_KEYS = dict(zip(DismissReason, "nosdex", strict=True))


class Acting(Screen[None]):
    """A screen from which one acts on ``current``, an alert as a row of `alerts list`."""

    @property
    def desk(self) -> Desk:
        """The program."""
        return self.app  # type: ignore[return-value]  # there is no other

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The alert that keys act on."""
        raise NotImplementedError

    @property
    def current_id(self) -> int | None:
        """Its number, known before it is read."""
        raise NotImplementedError

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        """One thing at a time: a key that is pressed while another one's work is on does nothing."""
        if self.desk.acting:
            return
        self.desk.acting = True
        self.desk.perform(work)

    def _with_current(self, work: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        alert_id = self.current_id
        if alert_id is None:
            self.desk.refuse(_("No alert is chosen."))
            return

        async def act() -> None:  # a row that has come into sight just now may not be read yet
            row = self.current
            await work(row if row is not None else await self.desk.session.ask(reading.find, alert_id))

        self._start(act)

    def action_next(self) -> None:
        """Take the most urgent one."""

        async def work() -> None:
            row = await self.desk.leases.take(None)
            await self.desk.show_alert(row["id"])

        self._start(work)

    def action_take(self) -> None:
        """Take this one and look at it."""

        async def work(row: Mapping[str, Any]) -> None:
            await self.desk.leases.take(row["id"])
            await self.desk.show_alert(row["id"])

        self._with_current(work)

    def action_second(self) -> None:
        """Take the most urgent that asks for a second opinion, and may be this reviewer's."""

        async def work() -> None:
            refused: RefusedError | None = None
            for alert_id in await self.desk.session.ask(reading.second_opinions):
                try:
                    await self.desk.leases.take(alert_id)
                except RefusedError as error:
                    refused = error
                    continue
                await self.desk.show_alert(alert_id)
                return
            none = _("No alert asks for a second opinion.")
            self.desk.refuse(terms.told(refused, self.desk.session.zone) if refused else none)

        self._start(work)

    async def _hold(self, row: Mapping[str, Any], what: str) -> bool:
        """Whether the alert is held, after asking to take it where it is not."""
        if row["id"] in self.desk.leases.until:
            return True

        async def take(_answer: Answer) -> None:
            await self.desk.leases.take(row["id"])

        question = _("You do not hold alert {id}. Take it, and {what}?").format(id=row["id"], what=what)
        if not await self.app.push_screen_wait(Ask(question, take, lines=[row["title"]])):
            return False
        await self.desk.show_alert(row["id"])
        return True

    def action_decide(self, decision: str) -> None:
        """Clarify, refer or watch: verdict and reason."""

        async def work(row: Mapping[str, Any]) -> None:
            await self._decide(row, Decision(decision))

        self._with_current(work)

    async def _decide(self, row: Mapping[str, Any], decision: Decision) -> None:
        word = term("decision", decision)
        if not await self._hold(row, word):
            return
        choices = [Choice(_VERDICT_KEYS[verdict], verdict, term("verdict", verdict)) for verdict in Verdict]
        if decision is not Decision.CLARIFY:
            choices.insert(0, Choice(_NONE, "", _("no verdict")))

        async def submit(answer: Answer) -> None:
            verdict = Verdict(answer.value) if answer.value else None
            after = await self.desk.session.act(queue.decide, row["id"], decision, verdict, answer.words)
            self._decided(after)

        title = _("Alert {id}: {decision}. What is the claim, and why?").format(id=row["id"], decision=word)
        first = None if decision is Decision.CLARIFY else 0
        await self.app.push_screen_wait(
            Ask(title, submit, lines=about(row), choices=choices, chosen=first, prompt=_("Reason"))
        )

    def action_put_aside(self) -> None:
        """Dismiss this one, with one of the reasons."""

        async def work(row: Mapping[str, Any]) -> None:
            if not await self._hold(row, term("decision", Decision.DISMISS)):
                return

            async def submit(answer: Answer) -> None:
                after = await self.desk.session.act(queue.decide, row["id"], Decision.DISMISS, None, because(answer))
                self._decided(after)

            title = _("Alert {id}: dismiss. Why?").format(id=row["id"])
            await self.app.push_screen_wait(dismissal(title, about(row), submit))

        self._with_current(work)

    def action_duplicate(self) -> None:
        """Put this one's incident into that of another alert."""

        async def work(row: Mapping[str, Any]) -> None:
            if await self._hold(row, term("decision", Decision.DUPLICATE)) and await duplicates.close(
                self.desk, {row["id"]: row["title"]}
            ):
                self.desk.back_to_queue()

        self._with_current(work)

    def action_snooze(self) -> None:
        """Put this one off."""

        async def work(row: Mapping[str, Any]) -> None:
            now = self.desk.session.clock()
            tomorrow = now.astimezone(self.desk.session.zone) + timedelta(days=1)
            morning = tomorrow.replace(hour=8, minute=0, second=0, microsecond=0)
            times = {
                "1": (now + timedelta(minutes=30), _("30 minutes")),
                "2": (now + timedelta(hours=1), _("1 hour")),
                "3": (now + timedelta(hours=2), _("2 hours")),
                "4": (now + timedelta(hours=6), _("6 hours")),
                "5": (morning, _("tomorrow at 8")),
                "6": (now + timedelta(days=3), _("3 days")),
            }

            async def submit(answer: Answer) -> None:
                until = times[answer.value or "1"][0]
                after = await self.desk.session.act(queue.snooze, row["id"], until, answer.words)
                self.desk.leases.drop(row["id"])
                self.desk.queue_screen.queue.step_over(row["id"])
                self.desk.back_to_queue()
                time = terms.at(after["snoozed_until"], self.desk.session.zone)
                self.desk.say(_("Alert {id} sleeps until {time}.").format(id=row["id"], time=time))

            choices = [Choice(key, key, words) for key, (_until, words) in times.items()]
            title = _("Alert {id}: put it off for how long, and why?").format(id=row["id"])
            await self.app.push_screen_wait(
                Ask(title, submit, lines=[row["title"]], choices=choices, prompt=_("Reason"))
            )

        self._with_current(work)

    def action_note(self) -> None:
        """Write something down on this one, held or not."""

        async def work(row: Mapping[str, Any]) -> None:
            async def submit(answer: Answer) -> None:
                await self.desk.session.act(queue.note, row["id"], answer.words)
                self.desk.say(_("Noted on alert {id}.").format(id=row["id"]))

            title = _("Alert {id}: a note, for all to read").format(id=row["id"])
            await self.app.push_screen_wait(Ask(title, submit, lines=[row["title"]], prompt=_("Note")))

        self._with_current(work)

    def action_tip(self) -> None:
        """Take in what somebody reported."""

        async def work() -> None:
            session = self.desk.session
            channels = session.settings.tips.channels

            async def submit(answer: Answer) -> None:
                tip = await in_thread(lambda: take_in(session, answer))
                words = _("Taken in as item {id}.") if tip.is_new else _("Known already, as item {id}.")
                problem = f" {tip.problem}" if tip.problem else ""
                self.desk.say(words.format(id=tip.item_id) + problem)

            choices = [Choice(str(number), each, term("channel", each)) for number, each in enumerate(channels, 1)]
            title = _("What was reported, and by which channel? Not by whom.")
            prompt = _("Address, words, or an address and words")
            await self.app.push_screen_wait(Ask(title, submit, choices=choices, prompt=prompt))

        self._start(work)

    def action_undo(self) -> None:
        """Take back the last decision of this desk, or the one on this alert."""

        async def work() -> None:
            row = self.current if self.desk.on_alert else None
            alert_id = row["id"] if row else next(iter(self.desk.decided[::-1]), None)
            if alert_id is None:
                self.desk.say(_("You have decided nothing yet at this desk."))
                return
            after = await self.desk.session.act(queue.undo, alert_id)
            self.desk.decided = [id for id in self.desk.decided if id != alert_id]
            self.desk.leases.keep(after)
            await self.desk.show_alert(alert_id)
            self.desk.say(_("The decision on alert {id} is taken back; you hold it again.").format(id=alert_id))

        self._start(work)

    def action_release(self) -> None:
        """Take it away from whoever holds it."""

        async def work(row: Mapping[str, Any]) -> None:
            held_by = terms.holder(row, self.desk.session.clock())
            if held_by is None or row["id"] in self.desk.leases.until:
                self.desk.refuse(_("Nobody else holds alert {id}.").format(id=row["id"]))
                return

            async def submit(answer: Answer) -> None:
                await self.desk.session.act(queue.release, row["id"], answer.words)
                self.desk.say(_("Alert {id} is free.").format(id=row["id"]))

            title = _("Take alert {id} away from {holder}?").format(id=row["id"], holder=held_by)
            await self.app.push_screen_wait(Ask(title, submit, lines=[row["title"]], prompt=_("Reason")))

        self._with_current(work)

    def action_send_back(self) -> None:
        """Ask for a new first opinion."""

        async def work(row: Mapping[str, Any]) -> None:
            if row["review"] == Review.FIRST:
                self.desk.refuse(_("Alert {id} is at its first opinion.").format(id=row["id"]))
                return
            if not await self._hold(row, _("send it back")):
                return

            async def submit(answer: Answer) -> None:
                await self.desk.session.act(queue.send_back, row["id"], answer.words)
                self.desk.leases.drop(row["id"])
                self.desk.back_to_queue()
                self.desk.say(_("Alert {id} asks for a new first opinion.").format(id=row["id"]))

            title = _("Alert {id}: ask for a new first opinion?").format(id=row["id"])
            await self.app.push_screen_wait(Ask(title, submit, lines=[row["title"]], prompt=_("Reason")))

        self._with_current(work)

    def action_reopen(self) -> None:
        """Take up again what is decided, or asleep."""

        async def work(row: Mapping[str, Any]) -> None:
            if row["state"] == AlertState.SNOOZED:
                await self.desk.session.act(queue.wake, row["id"])
                self.desk.say(_("Alert {id} is awake.").format(id=row["id"]))
                return
            if row["decision"] is None:
                self.desk.refuse(_("Alert {id} is not decided.").format(id=row["id"]))
                return

            async def submit(answer: Answer) -> None:
                await self.desk.session.act(queue.reopen, row["id"], answer.words)
                self.desk.say(_("Alert {id} waits in the queue again.").format(id=row["id"]))

            title = _("Take up alert {id} again? Its decision will not stand any more.").format(id=row["id"])
            await self.app.push_screen_wait(Ask(title, submit, lines=[row["title"]], prompt=_("Reason")))

        self._with_current(work)

    def action_browse(self) -> None:
        """Open the link of the claim, if it is one of the web; no shell has a part in it."""

        async def work(row: Mapping[str, Any]) -> None:
            link = row["link"] or ""
            if not is_web(link):
                self.desk.say(_("Alert {id} has no link that a browser may open.").format(id=row["id"]))
            elif await in_thread(lambda: webbrowser.open(link)):
                self.desk.say(_("Opened: {link}").format(link=link))
            else:
                self.desk.say(_("No browser here; the link is {link}").format(link=link))

        self._with_current(work)

    def action_copy(self) -> None:
        """Title and link to the clipboard of the terminal (OSC 52)."""
        row = self.current
        if row is not None:
            self.app.copy_to_clipboard(one_line(f"{row['title']} {row['link'] or ''}"))
            self.desk.say(_("Copied, if your terminal allows it: title and link of alert {id}.").format(id=row["id"]))

    def _decided(self, row: Mapping[str, Any]) -> None:
        self.desk.leases.drop(row["id"])
        self.desk.decided.append(row["id"])
        self.desk.queue_screen.queue.step_over(row["id"])
        self.desk.back_to_queue()
        self.desk.say(_outcome(row))


def about(row: Mapping[str, Any]) -> list[str]:
    """What a decision is about: the claim, and how much carries it."""
    if row["items"] < 2:
        return [row["title"]]
    whole = _("The whole incident: {items} items of {outlets} outlets.")
    return [row["title"], whole.format(items=row["items"], outlets=len(row["outlets"]))]


def dismissal(title: str, lines: list[str], submit: Callable[[Answer], Awaitable[None]]) -> Ask:
    """The reason list."""
    choices = [Choice(_DISMISS_KEYS[reason], reason, term("dismiss_reason", reason)) for reason in DismissReason]
    return Ask(title, submit, lines=lines, choices=choices, prompt=_("More words, if you like"))


def take_in(session: Session, answer: Answer) -> Tip:
    """A tip as it was typed: an address if it begins with one, and the words after it. Raises as ``add_tip`` does."""
    first, _sep, rest = answer.words.strip().partition(" ")
    url, text = (first, rest.strip()) if is_web(first) else (None, answer.words.strip())
    channel = answer.value or session.settings.tips.channels[0]
    return add_tip(
        session.store, session.settings, session.clock(), url=url, text=text or None, title=None, source=channel
    )


def because(answer: Answer) -> str:
    """The reason of a dismissal as the queue wants it."""
    if answer.value is None:
        raise RefusedError("no-reason", Said("Choose one of the reasons."))
    if answer.value == DismissReason.OTHER and not answer.words:
        raise RefusedError("no-reason", Said("Write which other reason."))
    return f"{answer.value}: {answer.words}" if answer.words else answer.value


def is_web(link: str) -> bool:
    """Whether a browser may be given this link: http or https, a host, and no sign that no address has."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and link.isprintable() and not set(link) & set(" \"'<>`\\")


def _outcome(row: Mapping[str, Any]) -> str:
    """What a decision led to, and how to take it back."""
    id = row["id"]
    if row["decision"] is None and row["review"] == Review.SECOND:
        return _("Alert {id} waits for a second opinion, by somebody who does not know yours. u takes it back.").format(
            id=id
        )
    if row["decision"] is None:
        return _("The two opinions on alert {id} differ: it goes to the lead. u takes yours back.").format(id=id)
    decision = term("decision", row["decision"])
    return _("Alert {id} is decided: {decision}. u takes it back.").format(id=id, decision=decision)
