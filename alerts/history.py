"""What the audit of an alert says, as sentences about who did it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.opinions import split_dismissal
from alerts.transitions import DismissReason
from monitor.types import Decision, Review, Said

NOTE = "alert.note"
_BLIND = Said("gave an opinion, not to be seen before the second opinion is given")
_BLIND_NOTE = Said("wrote a note, not to be seen before the second opinion is given")
_TOLD = ("review", "decision", "verdict", "reason")
_OPINIONS = {
    Review.FIRST: Said("first opinion"),
    Review.SECOND: Said("second opinion"),
    Review.LEAD: Said("the lead's decision"),
}

_FORMS = {
    "alert.open": Said("opened it as {priority} for team {route}"),
    "alert.reprioritise": Said("made it more urgent: {was}, now {priority}"),
    "alert.escalate": Said("escalated it to level {level}: {reason}"),
    "alert.remind": Said("reminded of it at level {level}: {reason}"),
    "alert.take": Said("took it until {lease_expires_at}"),
    "alert.renew": Said("holds it until {lease_expires_at}"),
    "lease.expired": Said("the lease of {holder} ran out"),
    "alert.snooze": Said("put it off until {until}: {reason}"),
    "alert.wake": Said("ended its snooze"),
    "alert.undo": Said("took the last decision back"),
    "alert.send-back": Said("asked for a new first opinion: {reason}"),
    "alert.suppress": Said("hid it: {reason}"),
    "alert.duplicate": Said("closed it as a duplicate of alert {duplicate_of}: {reason}"),
    "notice.drop": Said("did not tell receiver {receiver} any more: {why}"),
}


def sentence(entry: Mapping[str, Any]) -> Said:  # noqa: PLR0911 - one case for each form
    """What one audit entry of an alert says its actor did; the bare action for one that is not known here."""
    action, detail = entry["action"], entry["detail"]
    match action:
        case "alert.decide":
            return opinion(*(detail[key] for key in _TOLD)) if detail else _BLIND
        case "alert.note":
            return Said("wrote: {text}", {"text": detail["text"]}) if detail else _BLIND_NOTE
        case "alert.release":
            return _released(entry)
        case "alert.reopen":
            form = Said("put it back: {reason}") if "suppression" in detail else Said("took it up again: {reason}")
            return form.filled(reason=_reason(detail))
        case "alert.duplicate" if not detail["reason"]:
            return Said("closed it as a duplicate of alert {duplicate_of}", {"duplicate_of": detail["duplicate_of"]})
        case _ if action in _FORMS:
            return Said(_FORMS[action].form, _values(action, detail))
        case _:
            return Said(action)


def opinion(review: str, decision: str | None, verdict: str | None, reason: str | None) -> Said:
    """What a reviewer decided in one of the reviews; without a decision, that it is not to be seen yet."""
    whose = _OPINIONS[Review(review)]
    if decision is None:
        return Said("{opinion_of}: not to be seen before the second opinion is given", {"opinion_of": whose})
    what = Said("{decision}", {"decision": decision})
    if verdict:
        what = Said("{decision}, {verdict}", {"decision": decision, "verdict": verdict})
    values = {"opinion_of": whose, "what": what, "reason": _given(decision, reason or "")}
    return Said("{opinion_of}: {what}: {reason}", values)


def _given(decision: str, reason: str) -> str | Said:
    """A reviewer's reason; a dismissal's begins with one of the list."""
    code, words = split_dismissal(reason)
    if decision != Decision.DISMISS or code not in set(DismissReason):
        return reason
    if not words:
        return Said("{dismiss_reason}", {"dismiss_reason": code})
    return Said("{dismiss_reason}: {words}", {"dismiss_reason": code, "words": words})


def _released(entry: Mapping[str, Any]) -> Said:
    detail = entry["detail"]
    if detail["holder"] != entry["actor"]:
        return Said("released it from {holder}: {reason}", {"holder": detail["holder"], "reason": detail["reason"]})
    return Said("gave it back: {reason}", {"reason": detail["reason"]}) if detail["reason"] else Said("gave it back")


def _reason(detail: Mapping[str, Any]) -> str | Said:
    return Said.read(detail["said"]) if "said" in detail else str(detail.get("reason", ""))


def _values(action: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: _instant(detail[key]) for key in ("lease_expires_at", "until") if detail.get(key)}
    if action == "alert.reprioritise":
        values["was"], values["priority"] = detail["priority"]
    return {**detail, "reason": _reason(detail), **values}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
