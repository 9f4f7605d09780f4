"""What may happen to an alert: every act a person or the clock can do, decided without touching the store. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from alerts.clocks import Terms, counted_anew, due_at, lease_is_over, snooze_is_over
from alerts.opinions import split_dismissal
from alerts.suppression import heard
from monitor.errors import RefusedError, UnfitActError
from monitor.types import FALSE_VERDICTS, Alert, AlertState, Decision, Held, Opinion, Review, Said, Verdict

UNDO_WITHIN = timedelta(minutes=10)
LONGEST_SNOOZE = timedelta(days=14)
# Verdicts that say of a person what a court may have to judge: one pair of eyes is not enough.
TWO_PEOPLE = frozenset({Verdict.FALSE, Verdict.MISLEADING})
SAY_WHY = Said("say why (--reason)")
_HELD = Said("alert {id} is held by {holder} until {until}")
_BAD_TIME = Said("snooze until a time to come, at most {days} days from now")
_AWAKE = Said("alert {id} is {state}, not snoozed")


class DismissReason(StrEnum):
    """Why an alert is not worth a clarification. Words may follow: ``satire: the paper prints one every April``."""

    NOT_FALSE = "not-false"
    OPINION = "opinion"
    SATIRE = "satire"
    DUPLICATE_STORY = "duplicate-story"
    NOT_ELECTION = "not-election"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Take:
    """Hold an alert that waits, for the length of a lease."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class Renew:
    """Hold it for another lease, from now."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give it back; for somebody else's, with a reason."""

    reviewer: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expire:
    """The clock gives back what was held too long."""


@dataclass(frozen=True, slots=True)
class Decide:
    """The reviewer's finding about the claim, or that there is nothing to find."""

    reviewer: str
    decision: Decision
    verdict: Verdict | None
    reason: str
    about_candidate: bool = False  # then a verdict of TWO_PEOPLE needs two


@dataclass(frozen=True, slots=True)
class Snooze:
    """Put it off until an instant: by the holder, or by anybody who may take it."""

    reviewer: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Wake:
    """End a snooze: by the clock (no ``reviewer``) when its time has come, by a person at any time."""

    reviewer: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back one's own decision, soon after it."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class SendBack:
    """The second reviewer, or the lead, asks for a new first opinion."""

    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """A decided or closed alert is to be looked at again; ``actor`` is a person, or a part of the program."""

    actor: str
    reason: str


Act = Take | Renew | Release | Expire | Decide | Snooze | Wake | Undo | SendBack | Reopen

_STATE_AFTER = {
    Decision.CLARIFY: AlertState.DECIDED,
    Decision.REFER: AlertState.DECIDED,
    Decision.WATCH: AlertState.DECIDED,
    Decision.DISMISS: AlertState.CLOSED,
    Decision.DUPLICATE: AlertState.CLOSED,
}


def transition(alert: Alert, act: Act, now: datetime, terms: Terms) -> Alert:  # noqa: PLR0911, PLR0912 - one case for each act
    """``alert`` as it is after ``act`` at ``now``. A lease or a snooze that is over counts as over at once.

    Raises RefusedError with one of the reasons: decided, held, not-held, not-holder, lease-running, snoozed,
    not-snoozed, snooze-running, same-person, first-review, not-decided, nothing-to-undo, not-yours, moved-on, too-late;
    UnfitActError with no-reason, no-verdict, contradiction, bad-time.
    """
    ended = clock_act(alert, now)
    if ended is not None and ended != act:
        alert = transition(alert, ended, now, terms)
    match act:
        case Take():
            return _take(alert, act, now, terms)
        case Renew():
            require_holder(alert, act.reviewer)
            return replace(alert, lease_expires_at=now + terms.lease)
        case Release():
            return _release(alert, act, terms)
        case Expire():
            if not lease_is_over(alert, now):
                raise RefusedError("lease-running", Said("no lease on alert {id} is over", {"id": alert.id}))
            return _waiting(replace(alert, expiries=alert.expiries + 1), terms)
        case Decide():
            return _decide(alert, act, now, terms)
        case Snooze():
            return _snooze(alert, act, now, terms)
        case Wake():
            return _wake(alert, act, now, terms)
        case Undo():
            return _undo(alert, act, now, terms)
        case SendBack():
            require_holder(alert, act.reviewer)
            if alert.review is Review.FIRST:
                raise RefusedError(
                    "first-review",
                    Said("alert {id} is at its first opinion; `release` gives it back", {"id": alert.id}),
                )
            _require_reason(act.reason)
            return _first_again(alert, now, terms)
        case Reopen():
            if alert.decision is None:
                raise RefusedError(
                    "not-decided",
                    Said("alert {id} is {state}: it is not decided", {"id": alert.id, "state": alert.state}),
                )
            _require_reason(act.reason)
            return _first_again(alert, now, terms)
        case _:
            assert_never(act)


def clock_act(alert: Alert, now: datetime) -> Expire | Wake | None:
    """What the clock has done to ``alert`` by ``now``, written down or not."""
    if lease_is_over(alert, now):
        return Expire()
    return Wake() if snooze_is_over(alert, now) else None


def _take(alert: Alert, act: Take, now: datetime, terms: Terms) -> Alert:
    _require_undecided(alert)
    if alert.state is AlertState.LEASED and alert.holder == act.reviewer:
        raise RefusedError("held", Said("you hold alert {id} until {until}; `renew` makes it longer", _held(alert)))
    if alert.state is AlertState.LEASED:
        raise RefusedError("held", _HELD.filled(**_held(alert)))
    _require_awake(alert)
    _require_another_person(alert, act.reviewer)
    if alert.suppression:  # asked for by its number: somebody wants to see it all the same
        alert = heard(alert, now, terms)
    taken = replace(
        alert,
        state=AlertState.LEASED,
        holder=act.reviewer,
        lease_expires_at=now + terms.lease,
        taken_at=alert.taken_at or now,
    )
    return replace(taken, due_at=due_at(taken, terms))


def _release(alert: Alert, act: Release, terms: Terms) -> Alert:
    _require_leased(alert)
    if alert.holder != act.reviewer and not act.reason:
        raise UnfitActError(
            "no-reason",
            Said("alert {id} is held by {holder}: say why you release it (--reason)", _held(alert)),
        )
    return _waiting(alert, terms)


def _decide(alert: Alert, act: Decide, now: datetime, terms: Terms) -> Alert:
    require_holder(alert, act.reviewer)
    require_fit(act)
    held = Held(**{each.name: getattr(alert, each.name) for each in fields(Held)})
    opinion = Opinion(alert.review, act.reviewer, act.decision, act.verdict, act.reason, now, held)
    heard = replace(alert, opinions=(*alert.opinions, opinion))
    match _asks_next(heard, act):
        case Review.LEAD:
            return _waiting_anew(replace(heard, review=Review.LEAD, route=terms.lead_team), now, terms)
        case Review.SECOND:
            return _waiting_anew(replace(heard, review=Review.SECOND), now, terms)
        case _:
            return replace(
                heard,
                state=_STATE_AFTER[act.decision],
                holder=None,
                lease_expires_at=None,
                decided_at=now,
                decision=act.decision,
                verdict=act.verdict,
            )


def _asks_next(heard: Alert, act: Decide) -> Review | None:
    """Whose opinion is wanted besides those that were heard; None when the last one decides."""
    first, last = heard.opinions[0], heard.opinions[-1]
    if heard.review is Review.FIRST:
        risky = act.about_candidate and act.decision is Decision.CLARIFY and act.verdict in TWO_PEOPLE
        return Review.SECOND if risky else None
    agreed = (first.decision, first.verdict) == (last.decision, last.verdict)
    return Review.LEAD if heard.review is Review.SECOND and not agreed else None


def _snooze(alert: Alert, act: Snooze, now: datetime, terms: Terms) -> Alert:
    _require_undecided(alert)
    if alert.state is AlertState.LEASED:
        require_holder(alert, act.reviewer)
    _require_awake(alert)
    _require_another_person(alert, act.reviewer)
    _require_reason(act.reason)
    if not now < act.until <= now + LONGEST_SNOOZE:
        raise UnfitActError("bad-time", _BAD_TIME.filled(days=LONGEST_SNOOZE.days))
    asleep = replace(alert, state=AlertState.SNOOZED, holder=None, lease_expires_at=None, snoozed_until=act.until)
    return replace(asleep, due_at=due_at(asleep, terms))


def _wake(alert: Alert, act: Wake, now: datetime, terms: Terms) -> Alert:
    if alert.snoozed_until is None:
        raise RefusedError("not-snoozed", _AWAKE.filled(id=alert.id, state=alert.state))
    if act.reviewer is None and not snooze_is_over(alert, now):
        raise RefusedError(
            "snooze-running",
            Said("alert {id} is snoozed until {until}", {"id": alert.id, "until": alert.snoozed_until}),
        )
    # It woke when its time came, however late the clock looked.
    return _waiting_anew(alert, min(now, alert.snoozed_until), terms)


def _undo(alert: Alert, act: Undo, now: datetime, terms: Terms) -> Alert:
    last = alert.opinions[-1] if alert.opinions else None
    if last is None or last.held is None:
        raise RefusedError("nothing-to-undo", Said("no decision on alert {id} can be undone", {"id": alert.id}))
    if last.reviewer != act.reviewer:
        raise RefusedError(
            "not-yours",
            Said(
                "the last decision on alert {id} is {reviewer}'s, not yours",
                {"id": alert.id, "reviewer": last.reviewer},
            ),
        )
    if alert.state in (AlertState.LEASED, AlertState.SNOOZED):
        raise RefusedError(
            "moved-on",
            Said("alert {id} was {state} since: ask for it to be sent back", {"id": alert.id, "state": alert.state}),
        )
    if now - last.at >= UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() / 60)
        raise RefusedError(
            "too-late",
            Said("{minutes} minutes have passed: `reopen` or `send-back` takes it up again", {"minutes": minutes}),
        )
    held = replace(
        alert,
        state=AlertState.LEASED,
        review=last.review,
        holder=last.reviewer,
        decided_at=None,
        decision=None,
        verdict=None,
        opinions=alert.opinions[:-1],
        **asdict(last.held),
    )
    return replace(held, due_at=due_at(held, terms))


def _waiting(alert: Alert, terms: Terms) -> Alert:
    """The alert back in the queue, for the review that it asks for, with the clock of one that nobody holds."""
    state = AlertState.OPEN if alert.review is Review.FIRST else AlertState.SECOND_REVIEW
    free = replace(alert, state=state, holder=None, lease_expires_at=None, snoozed_until=None)
    return replace(free, due_at=due_at(free, terms))


def _waiting_anew(alert: Alert, since: datetime, terms: Terms) -> Alert:
    """The same for something new: its clocks count from ``since``, and it has not been escalated yet."""
    return _waiting(counted_anew(alert, since), terms)


def _first_again(alert: Alert, now: datetime, terms: Terms) -> Alert:
    """Nothing is decided any more, and the team that had it before the lead has it again."""
    before = [opinion.held.route for opinion in alert.opinions if opinion.held and opinion.review is not Review.LEAD]
    fresh = replace(
        alert,
        review=Review.FIRST,
        route=before[-1] if before else alert.route,
        decided_at=None,
        decision=None,
        verdict=None,
        opinions=(),
    )
    return _waiting_anew(fresh, now, terms)


def _require_undecided(alert: Alert) -> None:
    if alert.decision is not None:
        raise RefusedError(
            "decided",
            Said("alert {id} is decided already: {decision}", {"id": alert.id, "decision": alert.decision}),
        )


def _require_awake(alert: Alert) -> None:
    if alert.snoozed_until is not None:
        raise RefusedError(
            "snoozed",
            Said(
                "alert {id} is snoozed until {until}; `wake` ends that", {"id": alert.id, "until": alert.snoozed_until}
            ),
        )


def _require_another_person(alert: Alert, reviewer: str) -> None:
    if any(opinion.reviewer == reviewer for opinion in alert.opinions):
        lead = Said("you have given your opinion on alert {id}: the lead, a third person, decides it")
        other = Said("you have given your opinion on alert {id}: another reviewer decides it")
        raise RefusedError("same-person", (lead if alert.review is Review.LEAD else other).filled(id=alert.id))


def _require_leased(alert: Alert) -> None:
    _require_undecided(alert)
    if alert.state is not AlertState.LEASED:
        raise RefusedError("not-held", Said("nobody holds alert {id} now; `take` holds it", {"id": alert.id}))


def _require_reason(reason: str) -> None:
    if not reason:
        raise UnfitActError("no-reason", SAY_WHY)


def require_holder(alert: Alert, reviewer: str) -> None:
    """Raises RefusedError with decided, not-held, not-holder unless the reviewer holds the alert."""
    _require_leased(alert)
    if alert.holder != reviewer:
        raise RefusedError("not-holder", _HELD.filled(**_held(alert)))


def require_fit(act: Decide) -> None:
    """Raises UnfitActError for a decision that no alert could be given."""
    if act.decision is Decision.CLARIFY and act.verdict is None:
        raise UnfitActError("no-verdict", Said("to clarify a claim, say what it is (--verdict)"))
    _require_reason(act.reason)
    if act.decision in (Decision.DISMISS, Decision.DUPLICATE) and act.verdict in FALSE_VERDICTS:
        clash = Said("a claim that is {verdict} is not to be {decision}: clarify it")
        raise UnfitActError("contradiction", clash.filled(verdict=act.verdict, decision=act.decision))
    if act.decision is Decision.DISMISS:
        _require_dismiss_reason(act.reason)


def _require_dismiss_reason(reason: str) -> None:
    word, words = split_dismissal(reason)
    if word not in set(DismissReason):
        form = Said("a dismissal starts with one of {known}; words may follow after a colon")
        raise UnfitActError("no-reason", form.filled(known=", ".join(DismissReason)))
    if word == DismissReason.OTHER and not words:
        raise UnfitActError("no-reason", Said("say which other reason: `other: …`"))


def _held(alert: Alert) -> dict[str, Any]:
    return {"id": alert.id, "holder": alert.holder, "until": alert.lease_expires_at or Said("nobody knows when")}
