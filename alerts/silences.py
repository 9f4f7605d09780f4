"""What people do with silences. Each act is one transaction: the silence and its audit entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts import dispatch, hiding
from alerts.acts import person
from alerts.clocks import terms_at
from alerts.priority import MOST_URGENT
from alerts.routing import load_routes
from alerts.suppression import LONGEST, SilenceMatchers
from alerts.transitions import SAY_WHY
from monitor.config import Settings
from monitor.errors import RefusedError, UnfitActError
from monitor.store import Store, incident_facts, silences
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import AlertState, Said

PAGE = 500


@dataclass(frozen=True, slots=True)
class Effect:
    """What a silence would hide now: open alerts, and how many of them are P1."""

    open: int
    urgent: int


def foresee(store: Store, settings: Settings, matchers: SilenceMatchers, now: datetime) -> Effect:
    """What a silence with these matchers would hide now; held alerts stay with their holders and do not count."""
    rules = dispatch.rules_at(store, settings, now)
    found = []
    with store.read() as connection:
        ids = alert_store.undecided(connection)
        for start in range(0, len(ids), PAGE):
            page = alert_store.by_id(connection, ids[start : start + PAGE])
            waiting = [alert for alert in page if alert.state is AlertState.OPEN]
            facts = incident_facts.by_id(connection, [alert.incident_id for alert in waiting])
            for alert in waiting:
                traits = dispatch.traits(facts[alert.incident_id], alert.priority, rules.constituencies)
                found += [alert.priority] if matchers.hold(traits) else []
    return Effect(len(found), found.count(MOST_URGENT))


def add(
    store: Store,
    settings: Settings,
    matchers: SilenceMatchers,
    author: str,
    reason: str,
    now: datetime,
    ends_at: datetime,
) -> dict[str, Any]:
    """A silence from now on, and the open alerts that it covers hidden at once. Returns its row.

    Raises UnfitActError without author, reason, a matcher, or an end in the future and within LONGEST.
    """
    author, reason, given = person(author, "--author"), _reason(reason), matchers.as_json()
    if not given:
        raise UnfitActError("no-matchers", Said("a silence without a matcher would hide everything"))
    if not now < ends_at <= now + LONGEST:
        form = Said("a silence ends within {days} days from now, and not in the past")
        raise UnfitActError("ends-at", form.filled(days=LONGEST.days))
    with store.write() as connection:
        silence_id = silences.add(connection, given, author, reason, now, ends_at)
    dispatch.catch_up(store, dispatch.rules_at(store, settings, now))
    return _row(store, silence_id, now)


def expire(
    store: Store, settings: Settings, silence_id: int, author: str, reason: str, now: datetime
) -> dict[str, Any]:
    """End a silence now; what no other one hides is back in the queue. Returns its row.

    Raises NotFoundError, RefusedError when it is over already, UnfitActError without author or reason.
    """
    author, reason = person(author, "--author"), _reason(reason)
    with store.write() as connection:
        silence = silences.get(connection, silence_id)
        if silence.ends_at <= now:
            form = Said("silence {id} is over since {ended}")
            raise RefusedError("over", form.filled(id=silence_id, ended=silence.ends_at))
        silences.end(connection, silence, now, author, reason)
    terms = terms_at(now, settings, load_routes(settings))
    hiding.give_back(store, hiding.Writer(dispatch.ACTOR, now, terms))
    return _row(store, silence_id, now)


def listing(store: Store, now: datetime, *, every: bool = False) -> list[dict[str, Any]]:
    """Silences with the keys of `silences list`, the next to end first; with ``every``, those that are over too."""
    with store.read() as connection:
        return silences.listing(connection, now, every=every)


def _row(store: Store, silence_id: int, now: datetime) -> dict[str, Any]:
    return next(row for row in listing(store, now, every=True) if row["id"] == silence_id)


def _reason(reason: str) -> str:
    words = clean(reason)
    if not words:
        raise UnfitActError("no-reason", SAY_WHY)
    return words
