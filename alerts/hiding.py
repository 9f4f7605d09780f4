"""What is decided about silences, written down: each act in the caller's transaction, with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.clocks import Terms
from alerts.suppression import Cover, SilenceMatchers, heard, silenced
from monitor.store import Connection, Store, silences, suppression
from monitor.store import alerts as alert_store
from monitor.types import Alert, Silence, Suppression

BATCH = 200  # alerts written in one transaction

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
        return hear(connection, alert, writer.now, "no silence covers it any more", writer) != alert
    after = silenced(alert, covering, writer.terms)
    detail = {
        "suppression": after.suppression,
        "silences": sorted(covering.ids),
        "until": covering.until,
        "reason": "; ".join(f"silence {silence.id} of {silence.author}" for silence in covering.silences),
    }
    written = _change(connection, alert, after, "alert.suppress", detail, writer)
    if written:
        silences.hide(connection, alert.id, covering.ids, writer.now)
    return written


def hear(connection: Connection, alert: Alert, at: datetime, reason: str, writer: Writer) -> Alert:
    """End the suppression of an alert, in force since ``at``; returns it as it now stands."""
    after = heard(alert, at, writer.terms, reason)
    detail = {"reason": reason, "suppression": alert.suppression, "since": at, "due_at": after.due_at}
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
        reason = f"what alert {alert.inhibited_by} decided does not stand any more"
        return hear(connection, alert, writer.now, reason, writer)
    ended = silences.written_for(connection, alert.id)
    words = "; ".join(_ended(silence) for silence in ended) or "no silence covers it any more"
    return hear(connection, alert, max((silence.ends_at for silence in ended), default=writer.now), words, writer)


def _ended(silence: Silence) -> str:
    return f"silence {silence.id} of {silence.author} " + (
        f"was ended by {silence.expired_by}" if silence.expired_by else "ended"
    )


def _change(
    connection: Connection, before: Alert, after: Alert, action: str, detail: Mapping[str, Any], writer: Writer
) -> bool:
    return alert_store.change(
        connection, before, after, at=writer.now, actor=writer.actor, action=action, detail=detail
    )
