"""Stage: every incident gets its alert, and an alert whose incident has grown becomes more urgent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts.clocks import Terms, due_at, take_due, terms_at
from alerts.priority import prioritise, priority_name
from alerts.routing import Routes, Traits, load_routes, team
from monitor import taxonomy
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Connection, Store
from monitor.store import alerts as alert_store
from monitor.taxonomy import Taxonomy
from monitor.types import Alert, IncidentFacts, StageReport

ACTOR = "dispatch"
BATCH = 200  # alerts written in one transaction


@dataclass(frozen=True, slots=True)
class Rules:
    """What one pass decides by."""

    taxonomy: Taxonomy
    routes: Routes
    terms: Terms
    constituencies: Mapping[str, tuple[str, ...]]  # by candidate id


def dispatch(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Open an alert for every incident that never had one, and raise those whose incident has grown.

    Counts: ``opened``, ``raised`` (became more urgent). A score that rises is kept without an audit entry; a priority
    never falls by itself, for people have seen it. Raises ConfigError for a wrong routes file or watchlist.
    """
    routes = load_routes(settings)
    _, watchlist = load_watchlist(settings)
    constituencies = {entry.id: entry.constituency for entry in watchlist.candidate}
    rules = Rules(taxonomy.load(), routes, terms_at(now, settings, routes), constituencies)
    raised = _revise_all(store, rules, now)
    opened = _open_new(store, rules, now)
    return StageReport("dispatch", {"opened": opened, "raised": raised})


def route_to(facts: IncidentFacts, priority: int, rules: Rules) -> str:
    """The team that the alert is for."""
    return team(rules.routes, traits(facts, priority, rules.constituencies))


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
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy)
    flagged_after_all = alert.sample is not None and facts.sample is None
    if priority >= alert.priority and not flagged_after_all:
        return scored
    urgent = replace(
        scored,
        priority=priority,
        priority_reasons=reasons,
        route=route_to(facts, priority, rules),
        sample=facts.sample,
    )
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
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy)
    alert_store.add(
        connection,
        facts,
        priority=priority,
        reasons=reasons,
        route=route_to(facts, priority, rules),
        opened_at=now,
        due_at=None if facts.sample else take_due(now, priority, rules.terms.phase, rules.terms.targets),
        actor=ACTOR,
    )


def _revise_all(store: Store, rules: Rules, now: datetime) -> int:
    count = 0
    with store.read() as connection:
        undecided = alert_store.undecided(connection)
    for start in range(0, len(undecided), BATCH):
        with store.read() as connection:
            grown = [before.id for before, _ in _revisions(connection, undecided[start : start + BATCH], rules)]
        if grown:
            with store.write() as connection:  # decided again under the lock
                for before, after in _revisions(connection, grown, rules):
                    count += _write_revision(connection, before, after, now)
    return count


def _revisions(connection: Connection, ids: Sequence[int], rules: Rules) -> list[tuple[Alert, Alert]]:
    """Those of the undecided alerts that must change: as they are, and as they should be."""
    pairs = []
    undecided = [alert for alert in alert_store.by_id(connection, ids) if alert.decision is None]
    facts = alert_store.incident_facts(connection, [alert.incident_id for alert in undecided])
    for before in undecided:
        after = revise(before, facts[before.incident_id], rules)
        if after != before:
            pairs.append((before, after))
    return pairs


def _write_revision(connection: Connection, before: Alert, after: Alert, now: datetime) -> bool:
    """Write a revision; True when the alert became more urgent, which the audit tells."""
    if (after.priority, after.sample) == (before.priority, before.sample):
        alert_store.rescore(connection, before.id, after.score)
        return False
    detail: dict[str, Any] = {
        "priority": [priority_name(before.priority), priority_name(after.priority)],
        "score": [before.score, after.score],
        "route": [before.route, after.route],
        "reasons": list(after.priority_reasons),
    }
    return alert_store.change(
        connection, before, after, at=now, actor=ACTOR, action="alert.reprioritise", detail=detail
    )
