"""What is decided about silences, written down: each act in the caller's transaction, with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from alerts.clocks import Terms
from alerts.suppression import Cover, SilenceMatchers, heard, silenced
from monitor.store import Connection, Store, audit, silences, suppression
from monitor.store import alerts as alert_store
from monitor.types import Alert, Said, Silence, Suppression

BATCH = 200  # alerts written in one transaction

_UNCOVERED = Said("no silence covers it any more")
Standing = Sequence[tuple[Silence, SilenceMatchers]]


@dataclass(frozen=True, slots=True)
class Writer:
    """Under whose name, when and by which terms something is written."""

    actor: str
    now: datetime
    terms: Terms


def standing(connection: Connection, now: datetime) -> Standing:
    """The silences that hold, ready to be matched."""
    return [(silence, SilenceMatchers.model_validate(silence.matchers)) for silence in silences.active(connection, now)]


def settle(connection: Connection, alert: Alert, covering: Cover, writer: Writer) -> bool:
    """Let exactly these silences hide the alert; without any it is heard."""
    if not covering.silences:
        return hear(connection, alert, writer.now, _UNCOVERED, writer) != alert
    after = silenced(alert, covering, writer.terms)
    hiding = [Said("silence {id} of {author}", {"id": each.id, "author": each.author}) for each in covering.silences]
    detail = {
        "suppression": after.suppression,
        "silences": sorted(covering.ids),
        "until": covering.until,
        **audit.because(_together(hiding)),
    }
    written = _change(connection, alert, after, "alert.suppress", detail, writer)
    if written:
        silences.hide(connection, alert.id, covering.ids, writer.now)
    return written


def hear(connection: Connection, alert: Alert, at: datetime, reason: Said, writer: Writer) -> Alert:
    """End the suppression of an alert, in force since ``at``; returns it as it now stands."""
    after = heard(alert, at, writer.terms, reason)
    detail = {**audit.because(reason), "suppression": alert.suppression, "since": at, "due_at": after.due_at}
    if not _change(connection, alert, after, "alert.reopen", detail, writer):
        return alert
    silences.hide(connection, alert.id, (), writer.now)
    return after


def give_back(store: Store, writer: Writer) -> int:
    """Write down that suppressions are over: by the clock, or because what caused them does not stand any more."""
    with store.read() as connection:
        over = suppression.over(connection, writer.now)
    count = 0
    for start in range(0, len(over), BATCH):
        with store.write() as connection:
            for alert in alert_store.by_id(connection, over[start : start + BATCH]):
                count += surface(connection, alert, writer) != alert
    return count


def surface(connection: Connection, alert: Alert, writer: Writer) -> Alert:
    """The alert, heard again if its suppression is over; at a silence's last instant it is."""
    if not alert.suppression or not suppression.over(connection, writer.now, alert.id):
        return alert
    if alert.suppression is Suppression.INHIBITED:
        reason = Said("what alert {other} decided does not stand any more", {"other": alert.inhibited_by})
        return hear(connection, alert, writer.now, reason, writer)
    ended = silences.written_for(connection, alert.id)
    words = _together([_ended(silence) for silence in ended]) if ended else _UNCOVERED
    return hear(connection, alert, max((silence.ends_at for silence in ended), default=writer.now), words, writer)


def _ended(silence: Silence) -> Said:
    values = {"id": silence.id, "author": silence.author}
    if silence.expired_by:
        return Said("silence {id} of {author} was ended by {other}", {**values, "other": silence.expired_by})
    return Said("silence {id} of {author} ended", values)


def _together(parts: Sequence[Said]) -> Said:
    """``a; b; c``"""
    return reduce(lambda first, then: Said("{first}; {then}", {"first": first, "then": then}), parts)


def _change(
    connection: Connection, before: Alert, after: Alert, action: str, detail: Mapping[str, Any], writer: Writer
) -> bool:
    return alert_store.change(
        connection, before, after, at=writer.now, actor=writer.actor, action=action, detail=detail
    )
