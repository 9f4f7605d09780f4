"""Stage: every incident gets its alert, and an alert whose incident has grown becomes more urgent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts.clocks import Terms, due_at, take_due, terms_at
from alerts.priority import prioritise, priority_name
from alerts.routing import Routes, Traits, load_routes
from alerts.routing import teams as teams_for
from monitor import taxonomy
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Connection, Store
from monitor.store import alerts as alert_store
from monitor.taxonomy import Taxonomy
from monitor.types import Alert, IncidentFacts, Review, StageReport

ACTOR = "dispatch"
BATCH = 200  # alerts written in one transaction


@dataclass(frozen=True, slots=True)
class Rules:
    """What one pass decides by."""

    taxonomy: Taxonomy
    routes: Routes
    terms: Terms
    constituencies: Mapping[str, tuple[str, ...]]  # by candidate id
    calendar: Calendar
    now: datetime


def dispatch(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Open an alert for every incident that never had one, and raise those whose incident has grown.

    Counts: ``opened``, ``raised`` (became more urgent). A score that rises is kept without an audit entry; a priority
    never falls by itself, for people have seen it. Raises ConfigError for a wrong routes file or watchlist.
    """
    routes = load_routes(settings)
    _, watchlist = load_watchlist(settings)
    constituencies = {entry.id: entry.constituency for entry in watchlist.candidate}
    terms = terms_at(now, settings, routes)
    rules = Rules(taxonomy.load(), routes, terms, constituencies, settings.calendar, now)
    raised = _revise_all(store, rules, now)
    opened = _open_new(store, rules, now)
    return StageReport("dispatch", {"opened": opened, "raised": raised})


def route_to(facts: IncidentFacts, priority: int, rules: Rules) -> tuple[str, ...]:
    """The team that the alert is for, and then the teams that are told of it as well."""
    return teams_for(rules.routes, traits(facts, priority, rules.constituencies), rules.now, rules.calendar)


def traits(facts: IncidentFacts, priority: int, constituencies: Mapping[str, tuple[str, ...]]) -> Traits:
    """What the matchers of routes.toml compare with."""
    return {
        "claim_type": frozenset([facts.claim_type] if facts.claim_type else []),
        "lang": frozenset([facts.lang]),
        "label": frozenset([facts.label] if facts.label else []),
        "priority": frozenset([priority_name(priority)]),
        "candidate": frozenset(facts.matches),
        "constituency": frozenset(place for id in facts.matches for place in constituencies.get(id, ())),
    }


def revise(alert: Alert, facts: IncidentFacts, rules: Rules) -> Alert:
    """The alert as its incident now asks for: never less urgent than it was."""
    scored = replace(alert, score=max(alert.score, facts.score))
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy, rules.routes.priority)
    if priority >= alert.priority:
        return scored
    route = scored.route if scored.review is Review.LEAD else route_to(facts, priority, rules)[0]
    urgent = replace(scored, priority=priority, priority_reasons=reasons, route=route)
    return replace(urgent, due_at=due_at(urgent, rules.terms))


def _open_new(store: Store, rules: Rules, now: datetime) -> int:
    opened = 0
    while _backlog(store):
        with store.write() as connection:
            # Read again under the lock: another process may have opened some of them.
            waiting = alert_store.incidents_without(connection, BATCH)
            for facts in alert_store.incident_facts(connection, waiting).values():
                _open(connection, facts, rules, now)
        opened += len(waiting)
    return opened


def _backlog(store: Store) -> bool:
    with store.read() as connection:
        return bool(alert_store.incidents_without(connection, 1))


def _open(connection: Connection, facts: IncidentFacts, rules: Rules, now: datetime) -> None:
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy, rules.routes.priority)
    alert_store.add(
        connection,
        facts,
        priority=priority,
        reasons=reasons,
        teams=route_to(facts, priority, rules),
        opened_at=now,
        due_at=take_due(now, priority, rules.terms.phase, rules.terms.targets),
        actor=ACTOR,
    )


def _revise_all(store: Store, rules: Rules, now: datetime) -> int:
    count = 0
    with store.read() as connection:
        undecided = alert_store.undecided(connection)
    for start in range(0, len(undecided), BATCH):
        with store.read() as connection:
            grown = [before.id for before, _, _ in _revisions(connection, undecided[start : start + BATCH], rules)]
        if grown:
            with store.write() as connection:  # decided again under the lock
                for before, after, facts in _revisions(connection, grown, rules):
                    count += _write_revision(connection, before, after, route_to(facts, after.priority, rules), now)
    return count


def _revisions(connection: Connection, ids: Sequence[int], rules: Rules) -> list[tuple[Alert, Alert, IncidentFacts]]:
    """Those of the undecided alerts that must change: as they are, as they should be, and what is known of them."""
    pairs = []
    undecided = [alert for alert in alert_store.by_id(connection, ids) if alert.decision is None]
    facts = alert_store.incident_facts(connection, [alert.incident_id for alert in undecided])
    for before in undecided:
        after = revise(before, facts[before.incident_id], rules)
        if after != before:
            pairs.append((before, after, facts[before.incident_id]))
    return pairs


def _write_revision(connection: Connection, before: Alert, after: Alert, teams: Sequence[str], now: datetime) -> bool:
    """Write a revision; True when the alert became more urgent, which the audit tells."""
    if after.priority == before.priority:
        alert_store.rescore(connection, before.id, after.score)
        return False
    detail: dict[str, Any] = {
        "priority": [priority_name(before.priority), priority_name(after.priority)],
        "score": [before.score, after.score],
        "route": [before.route, after.route],
        "teams": list(teams),
        "reasons": list(after.priority_reasons),
    }
    return alert_store.change(
        connection, before, after, at=now, actor=ACTOR, action="alert.reprioritise", detail=detail
    )
