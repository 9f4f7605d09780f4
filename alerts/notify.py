"""Stage: tell receivers of what happens to alerts, never losing a notice, never twice but for one window.

audit -> occasions (with the cursor, one transaction) -> messages, frozen -> the service -> marked as sent

A message is written to the store before the first attempt, and marked once the service has accepted it. Killed in
between, or without an answer, it is sent again, the same bytes with the same key: the one moment in which a second copy
can arrive lies between the service's acceptance and our record of it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from alerts import journal, senders
from alerts.backoff import retry_after
from alerts.overdue import overdue
from alerts.policy import LEAD
from alerts.receivers import Kind, Receiver, address, due, looks_back, wants
from alerts.routing import load_routes
from alerts.wording import SHOWN, Line, compose, compose_overdue, compose_test
from monitor import taxonomy, tracing
from monitor.config import Settings
from monitor.errors import BusyError, ConfigError, NotFoundError, NoticeError
from monitor.store import Connection, Store, audit, incident_facts, outbox
from monitor.store import alerts as alert_store
from monitor.store.outbox import Message, Occasion
from monitor.types import Alert, AlertState, Review, Said, StageReport

ACTOR = "notify"
PAGE = 500  # audit entries read in one transaction
AT_ONCE = 16  # services that are waited for at the same time

_KINDS = {
    "alert.open": Kind.NEW,
    "alert.reprioritise": Kind.RAISED,
    "alert.escalate": Kind.ESCALATED,
    "alert.remind": Kind.REMINDED,
    "alert.reopen": Kind.REOPENED,
    "alert.send-back": Kind.REOPENED,
    "alert.undo": Kind.REOPENED,
    "alert.wake": Kind.REOPENED,
    "lease.expired": Kind.EXPIRED,
}
_ASKED_FOR = {Kind.SECOND: Review.SECOND, Kind.LEAD: Review.LEAD}
_COUNTS = ("occasions", "messages", "dropped", "sent", "failed")


def notify(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Read what is new in the audit, make the messages whose time has come, and send what waits.

    Counts: ``occasions`` (an alert, a receiver, an audit entry), ``messages`` made of them, ``dropped`` occasions whose
    alert was decided or suppressed meanwhile, ``sent`` and ``failed`` messages. One process sends at a time.
    """
    receivers = {receiver.name: receiver for receiver in load_routes(settings).receiver}
    counts: Counter[str] = Counter()
    problems: list[str] = []
    _read_audit(store, receivers.values(), counts)
    try:
        with store.lock(ACTOR):
            _repeat(store, receivers.values(), now, counts)
            _forget(store, receivers)
            _withdraw(store, now)
            _make_messages(store, settings, receivers, now, counts)
            _tell_overdue(store, settings, now, counts)
            problems = _send(store, settings, receivers, now, counts)
    except BusyError:  # another process is at it, and sends what we have read
        pass
    return StageReport("notify", {name: counts[name] for name in _COUNTS}, tuple(problems))


def problems(store: Store) -> list[Said]:
    """What `status` says of receivers: a sentence for each that does not take its messages."""
    with store.read() as connection:
        waiting = [message for message in outbox.unsent(connection) if message.last_error]
    form = Said("receiver {receiver} has not been told ({attempts} attempts): {error}")
    return [form.filled(receiver=each.receiver, attempts=each.attempts, error=each.last_error) for each in waiting]


def send_test(settings: Settings, name: str, now: datetime) -> str:
    """Send a test to one receiver and return the key that stands in it.

    Raises NotFoundError, ConfigError when it has no address, NoticeError when its service does not take it.
    """
    receivers = {receiver.name: receiver for receiver in load_routes(settings).receiver}
    if name not in receivers:
        known = ", ".join(receivers) or "none; see [[receiver]] in README"
        raise NotFoundError("receiver", name, f"routes.toml names {known}")
    key = _hash(name, "test", now.isoformat())
    senders.deliver(name, address(receivers[name], settings), *compose_test(receivers[name].lang, key))
    return key


def occasions_of(
    entries: Iterable[Mapping[str, Any]], alerts: Mapping[int, Alert], receivers: Iterable[Receiver]
) -> list[Occasion]:
    """Whom each of these audit entries is to be told to, the alerts as they stand now. Pure."""
    found = []
    for entry in entries:
        kind = _kind(entry)
        alert = alerts.get(alert_store.of_subject(entry["subject"]) or 0)
        if kind is None or alert is None:
            continue
        told = entry["detail"]
        teams = told.get("teams") or (told["route"] if kind in _ASKED_FOR else alert.route,)
        for receiver in receivers:
            if wants(receiver, kind, alert.priority, teams):
                detail = _detail(kind, entry, alert)
                found.append(_occasion(receiver, alert.id, entry["seq"], 0, kind, detail, entry["at"]))
    return found


def why_quiet(alert: Alert) -> str | None:
    """Why an alert is not announced any more, or None."""
    if alert.suppression:
        return f"suppressed: {alert.suppression}"
    if alert.state in (AlertState.DECIDED, AlertState.CLOSED):
        return f"decided: {alert.decision}" if alert.decision else f"{alert.state}"
    return str(alert.state) if alert.state is AlertState.SNOOZED else None


def is_answered(kind: str, alert: Alert) -> bool:
    """Whether a notice asks for an opinion that ``alert`` does not wait for any more: it was given, or undone."""
    return kind in _ASKED_FOR and _ASKED_FOR[Kind(kind)] is not alert.review


def _kind(entry: Mapping[str, Any]) -> Kind | None:
    """What an audit entry is to a receiver, if anything."""
    if entry["action"] == "alert.decide" and entry["detail"].get("state") == AlertState.SECOND_REVIEW:
        return Kind.SECOND if entry["detail"]["review"] == Review.FIRST else Kind.LEAD
    return _KINDS.get(entry["action"])


def _detail(kind: Kind, entry: Mapping[str, Any], alert: Alert) -> dict[str, Any]:
    detail = entry["detail"]
    match kind:
        case Kind.REOPENED if entry["action"] == "alert.undo":
            return {"held": True}  # it is not in the queue: who takes a decision back holds it again
        case Kind.RAISED:
            return {"was": detail["priority"][0]}
        case Kind.ESCALATED | Kind.REMINDED:
            return {"level": detail.get("level", alert.level)}
        case _:
            return {}


def _read_audit(store: Store, receivers: Iterable[Receiver], counts: Counter[str]) -> None:
    def behind(connection: Connection) -> bool:
        return audit.head(connection)[0] > outbox.position(connection)

    while True:
        with store.read() as connection:
            if not behind(connection):
                return
        with store.write() as connection:
            entries = audit.following(connection, outbox.position(connection), PAGE)
            ids = {alert_store.of_subject(entry["subject"]) or 0 for entry in entries if _kind(entry)}
            known = {alert.id: alert for alert in _alerts(connection, ids)}
            counts["occasions"] += outbox.add(connection, occasions_of(entries, known, receivers))
            if entries:
                outbox.advance(connection, entries[-1]["seq"])
                journal.tell(connection, entries)


def _repeat(store: Store, receivers: Iterable[Receiver], now: datetime, counts: Counter[str]) -> None:
    """Alerts that a receiver was told of long ago, and that nobody has taken since, are told again."""
    for receiver in receivers:
        with store.read() as connection:
            if not _unanswered(connection, receiver, now):
                continue
        with store.write() as connection:
            counts["occasions"] += outbox.add(connection, _unanswered(connection, receiver, now))


def _unanswered(connection: Connection, receiver: Receiver, now: datetime) -> list[Occasion]:
    """What is to be told again: to those who were told first, but what waits for the lead to the lead's alone."""
    before = now - timedelta(seconds=receiver.repeat_interval_s)
    told = {each.alert_id: each for each in outbox.unanswered(connection, receiver.name, before)}
    return [
        _occasion(receiver, alert.id, told[alert.id].seq, told[alert.id].round + 1, Kind.REPEATED, {}, now)
        for alert in _alerts(connection, told)
        if wants(
            receiver, Kind.REPEATED, alert.priority, [alert.route] if alert.review is Review.LEAD else receiver.teams
        )
    ]


def _forget(store: Store, receivers: Mapping[str, Receiver]) -> None:
    """What waits for a receiver that the routes file does not name any more is dropped."""
    with store.read() as connection:
        stale = {message.key for message in outbox.unsent(connection) if message.receiver not in receivers}
        gone = outbox.oldest_waiting(connection).keys() - receivers.keys()
    if stale or gone:
        why = "the receiver is not in the routes file any more"
        with store.write() as connection:
            for key in sorted(stale):
                outbox.withdraw(connection, key, why)
            for name in sorted(gone):
                outbox.drop(connection, [each.key for each in outbox.waiting(connection, name)], why)


def _withdraw(store: Store, now: datetime) -> None:
    """A message that no service has taken yet is not tried again once nothing in it is news any more."""
    with store.read() as connection:
        waiting = outbox.unsent(connection)
        stale = [each for each in waiting if _all_quiet(connection, each)]
    for message in stale:
        with store.write() as connection:
            if not _all_quiet(connection, message):
                continue
            outbox.withdraw(connection, message.key, "every alert in it was decided or suppressed")
            for alert in _alerts(connection, outbox.alerts_in(connection, message.key)):
                _tell_drop(connection, alert, message.receiver, now)


def _all_quiet(connection: Connection, message: Message) -> bool:
    """Whether nothing in it is news any more. One that speaks of no alert, but of the digest, stays news."""
    told = _alerts(connection, outbox.alerts_in(connection, message.key))
    return bool(told) and all(map(why_quiet, told))


def _tell_overdue(store: Store, settings: Settings, now: datetime, counts: Counter[str]) -> None:
    """Once a date, those who are told of what no route takes, or of the lead's, hear that the digest is overdue."""
    with store.read() as connection:
        late = overdue(connection, settings, now)
    if late is None or late.first:
        return
    routes = load_routes(settings)
    top = {LEAD, routes.route.team}
    for receiver in routes.receiver:
        if receiver.teams and top.isdisjoint(receiver.teams):
            continue
        key = _hash(receiver.name, "digest", late.date.isoformat())
        title, body = compose_overdue(receiver.lang, late.date, len(late.unserved), key)
        message = json.dumps({"title": title, "body": body}, ensure_ascii=False).encode()
        with store.write() as connection:
            if not outbox.is_known(connection, key):
                outbox.freeze(connection, key, receiver.name, message, (), now)
                counts["messages"] += 1


def _make_messages(
    store: Store, settings: Settings, receivers: Mapping[str, Receiver], now: datetime, counts: Counter[str]
) -> None:
    with store.read() as connection:
        busy = {message.receiver for message in outbox.unsent(connection)}  # one message at a time, in order
        oldest = outbox.oldest_waiting(connection)
        ready = [
            receiver
            for name, receiver in receivers.items()
            if name in oldest and name not in busy
            if _is_due(connection, receiver, oldest[name], now)
        ]
    for receiver in ready:
        with store.write() as connection:
            _make_message(connection, settings, receiver, now, counts)


def _is_due(connection: Connection, receiver: Receiver, oldest: datetime, now: datetime) -> bool:
    """Whether its next message is to be made; at once, when what waits was written by a clock that was ahead."""
    made = outbox.frozen_between(connection, receiver.name, now - looks_back(receiver), now)
    return oldest > now or now >= due(receiver, oldest, made)


def _make_message(
    connection: Connection, settings: Settings, receiver: Receiver, now: datetime, counts: Counter[str]
) -> None:
    waiting = outbox.waiting(connection, receiver.name)
    alerts = {alert.id: alert for alert in _alerts(connection, {each.alert_id for each in waiting})}
    answered = {each.key for each in waiting if is_answered(each.kind, alerts[each.alert_id])}
    outbox.drop(connection, sorted(answered), "the opinion that it asked for is not wanted any more")
    counts["dropped"] += len(answered)
    groups = _by_urgency([each for each in waiting if each.key not in answered], alerts)
    for quiet in [group for group in groups if why_quiet(alerts[group[0].alert_id])]:
        alert = alerts[quiet[0].alert_id]
        outbox.drop(connection, [each.key for each in quiet], str(why_quiet(alert)))
        _tell_drop(connection, alert, receiver.name, now)
        counts["dropped"] += len(quiet)
    groups = [group for group in groups if not why_quiet(alerts[group[0].alert_id])]
    if not groups:
        return
    shown = [alerts[group[0].alert_id] for group in groups[:SHOWN]]
    facts = incident_facts.by_id(connection, [alert.incident_id for alert in shown])
    lines = [
        Line(alert, facts[alert.incident_id], [(Kind(each.kind), each.detail) for each in group])
        for alert, group in zip(shown, groups, strict=False)
    ]
    told = [each.key for group in groups for each in group]
    key = _hash(receiver.name, *told)
    zone = settings.calendar.zone
    title, body = compose(receiver.lang, lines, len(groups) - len(lines), key, zone, taxonomy.load())
    message = json.dumps({"title": title, "body": body}, ensure_ascii=False).encode()
    outbox.freeze(connection, key, receiver.name, message, told, now)
    counts["messages"] += 1


def _by_urgency(waiting: Iterable[Occasion], alerts: Mapping[int, Alert]) -> list[list[Occasion]]:
    """The occasions of each alert in the order of the audit, the most urgent alert first."""
    ordered = sorted(waiting, key=lambda each: (_urgency(alerts[each.alert_id]), each.seq, each.round))
    return [list(group) for _, group in groupby(ordered, key=lambda each: each.alert_id)]


def _send(
    store: Store, settings: Settings, receivers: Mapping[str, Receiver], now: datetime, counts: Counter[str]
) -> list[str]:
    """Try what waits and whose time has come, each receiver by itself; returns a sentence for each that failed."""
    with store.read() as connection:
        ready = [message for message in outbox.unsent(connection) if message.next_try_at <= now]
    if not ready:
        return []
    workers = min(AT_ONCE, len(ready))
    with (
        tracing.span("notify.send", messages=len(ready)),
        ThreadPoolExecutor(max_workers=workers, thread_name_prefix="send") as pool,
    ):
        told = list(pool.map(lambda each: _deliver(store, settings, receivers[each.receiver], each, now), ready))
    found = [problem for problem in told if problem]
    counts.update(sent=len(told) - len(found), failed=len(found))
    return found


def _deliver(store: Store, settings: Settings, receiver: Receiver, message: Message, now: datetime) -> str | None:
    text = json.loads(message.message)
    try:
        senders.deliver(receiver.name, address(receiver, settings), text["title"], text["body"])
    except (NoticeError, ConfigError) as error:
        again = now + retry_after(message.attempts + 1, message.key)
        with store.write() as connection:
            outbox.failed(connection, message.key, getattr(error, "detail", str(error)), again)
        return str(error)
    with store.write() as connection:
        outbox.sent(connection, message.key, now)
        journal.tell_sent(connection, receiver.name, outbox.alerts_in(connection, message.key))
    return None


def _tell_drop(connection: Connection, alert: Alert, receiver: str, now: datetime) -> None:
    detail = {"receiver": receiver, "why": why_quiet(alert)}
    audit.append(connection, now, ACTOR, "notice.drop", alert_store.subject(alert.id), detail)


def _alerts(connection: Connection, ids: Iterable[int]) -> list[Alert]:
    every = sorted(ids)
    pages = (every[start : start + PAGE] for start in range(0, len(every), PAGE))
    return [alert for page in pages for alert in alert_store.by_id(connection, page)]


def _urgency(alert: Alert) -> tuple[int, int, float, int]:
    due_at = alert.due_at.timestamp() if alert.due_at else float("inf")
    return alert.priority, -alert.level, due_at, alert.id


def _occasion(
    receiver: Receiver, alert_id: int, seq: int, round: int, kind: Kind, detail: Mapping[str, Any], at: datetime
) -> Occasion:
    key = _hash(receiver.name, str(seq), str(round))
    return Occasion(key, receiver.name, alert_id, seq, round, kind, detail, at)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
