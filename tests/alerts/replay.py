"""The audit of one alert, played again through the pure transitions: what the alert is if nothing else happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from alerts.acts import CLOCK
from alerts.clocks import Terms, counts_from, terms_at
from alerts.policy import after_step, due_steps, reminder
from alerts.routing import Routes
from alerts.suppression import Cover, heard, silenced
from alerts.transitions import (
    Act,
    Decide,
    Expire,
    Release,
    Renew,
    Reopen,
    SendBack,
    Snooze,
    Take,
    Undo,
    Wake,
    clock_act,
    transition,
)
from monitor.config import Settings
from monitor.types import Alert, AlertState, Decision, Review, Said, Silence, Suppression, Verdict

Entry = Mapping[str, Any]
_NO_EFFECT = ("notice.drop", "alert.note")


def replay(history: Sequence[Entry], settings: Settings, routes: Routes) -> Alert:
    """The alert as its entries made it. Fails where one of them was not possible then, or something is missing before.

    Of what an incident that grows does to its alert nothing is played: entries of that kind fail.
    """
    first, *rest = history
    alert = _opened(first)
    for entry in rest:
        if entry["action"] not in _NO_EFFECT:
            alert = _after(alert, entry, terms_at(entry["at"], settings, routes))
    return in_english(alert)


def in_english(alert: Alert) -> Alert:
    """With its reasons as the audit keeps them."""
    return replace(alert, priority_reasons=tuple(Said(reason.text) for reason in alert.priority_reasons))


def _opened(entry: Entry) -> Alert:
    assert entry["action"] == "alert.open", f"entry {entry['seq']} comes before the alert"
    detail = entry["detail"]
    return Alert(
        id=int(entry["subject"].partition(":")[2]),
        incident_id=detail["incident_id"],
        state=AlertState.OPEN,
        priority=int(detail["priority"][1]),
        level=0,
        score=detail["score"],
        opened_at=entry["at"],
        due_at=_instant(detail["due_at"]),
        holder=None,
        lease_expires_at=None,
        route=detail["route"],
        suppression=None,
        decided_at=None,
        decision=None,
        verdict=None,
        priority_reasons=tuple(map(Said, detail["reasons"])),
        sample=detail["sample"],
    )


def _after(alert: Alert, entry: Entry, terms: Terms) -> Alert:
    action, detail, at = entry["action"], entry["detail"], entry["at"]
    match action:
        case "alert.suppress" if detail["suppression"] == Suppression.SILENCE:
            return silenced(alert, Cover((_until(_instant(detail["until"])),)), terms)
        case "alert.suppress":
            return replace(alert, suppression=Suppression.INHIBITED, inhibited_by=detail["inhibited_by"])
        case "alert.reopen" if "suppression" in detail:
            return heard(alert, datetime.fromisoformat(detail["since"]), terms, Said.read(detail["said"]))
        case "alert.escalate":
            policy = terms.escalation.of(terms.phase, alert.priority)
            due = due_steps(alert, counts_from(alert), at, policy)
            assert due, f"entry {entry['seq']} is a step that was not due"
            assert (f"{due[0].step.unless}-{due[0].number}", due[0].reason.text) == (detail["step"], detail["reason"])
            return after_step(alert, due[0], at)
        case "alert.remind":
            policy = terms.escalation.of(terms.phase, alert.priority)
            assert not due_steps(alert, counts_from(alert), at, policy)
            assert reminder(alert, counts_from(alert), at, policy), f"entry {entry['seq']} reminds of nothing"
            return replace(alert, told_at=at, reminders=alert.reminders + 1)
        case _:
            act = _act(alert, entry)
            ended = clock_act(alert, at)
            assert ended in (None, act), f"before entry {entry['seq']} the clock ended something unwritten"
            after = transition(alert, act, at, terms)
            assert action != "alert.decide" or (after.state, after.route) == (detail["state"], detail["route"])
            return after


def _act(alert: Alert, entry: Entry) -> Act:  # noqa: PLR0911 - one case for each act
    actor, detail = entry["actor"], entry["detail"]
    match entry["action"]:
        case "alert.take":
            return Take(actor)
        case "alert.renew":
            return Renew(actor)
        case "alert.release":
            return Release(actor, detail["reason"])
        case "lease.expired":
            return Expire()
        case "alert.decide":
            asked = detail["review"] == Review.FIRST and detail["state"] == AlertState.SECOND_REVIEW
            verdict = detail["verdict"] and Verdict(detail["verdict"])
            return Decide(actor, Decision(detail["decision"]), verdict, detail["reason"], about_candidate=asked)
        case "alert.snooze":
            return Snooze(actor, datetime.fromisoformat(detail["until"]), detail["reason"])
        case "alert.wake":
            return Wake(None if actor == CLOCK else actor)
        case "alert.undo":
            return Undo(actor)
        case "alert.send-back":
            return SendBack(actor, detail["reason"])
        case "alert.reopen":
            return Reopen(actor, detail["reason"])
        case unknown:
            raise AssertionError(f"entry {entry['seq']} of {alert.id} is of an unknown kind, {unknown}")


def _until(instant: datetime | None) -> Silence:
    assert instant
    return Silence(0, {}, "", "", instant, instant)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
