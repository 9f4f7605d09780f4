"""Stage: every incident gets its alert, and an alert whose incident has grown becomes more urgent."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts import hiding, inhibition
from alerts.clocks import Terms, counted_anew, due_at, take_due, terms_at
from alerts.priority import prioritise, priority_name
from alerts.routing import Routes, Traits, load_routes
from alerts.routing import teams as teams_for
from alerts.suppression import Cover, cover, unsettled
from monitor import __version__, taxonomy
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Connection, Store, incident_facts, pending, silences
from monitor.store import alerts as alert_store
from monitor.taxonomy import Taxonomy
from monitor.types import Alert, Candidate, IncidentFacts, Review, StageReport

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
    people: tuple[Candidate, ...] = ()  # whose names are anchors when claims are compared
    silences: hiding.Standing = ()

    @property
    def digest(self) -> str:
        """Changes with whatever may make an alert more urgent, or hide it, while its incident stays as it is."""
        meanings = {type: [meaning.priority, dict(meaning.phases)] for type, meaning in self.taxonomy.items()}
        parts = {
            "program": __version__,
            "phase": self.terms.phase,
            "taxonomy": meanings,
            "priority": [rule.model_dump(mode="json") for rule in self.routes.priority],
            "constituencies": dict(self.constituencies),
            "silences": [[silence.id, silence.ends_at.isoformat()] for silence, _ in self.silences],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """What must change of one alert: as it is, as its incident (``facts``) asks for, and what must hide it."""

    before: Alert
    after: Alert
    facts: IncidentFacts
    covering: Cover | None  # None: as they do already


def dispatch(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Open an alert for every incident that never had one, raise those that have grown, and hide what must stay quiet.

    Counts: ``opened``, ``raised`` (became more urgent), ``hidden`` (by silences), ``inhibited``, ``heard`` (no longer
    either). A score that rises is kept without an audit entry; a priority never falls by itself, for people have seen
    it. Raises ConfigError for a wrong routes file or watchlist.
    """
    rules = rules_at(store, settings, now)
    writer = hiding.Writer(ACTOR, now, rules.terms)
    counts = Counter(opened=0, raised=0, hidden=0, inhibited=0, heard=hiding.give_back(store, writer))
    counts.update(catch_up(store, rules))
    inhibited, heard = inhibition.review(store, rules.people, writer)
    counts.update(inhibited=inhibited, heard=heard)
    return StageReport("dispatch", dict(counts))


def rules_at(store: Store, settings: Settings, now: datetime) -> Rules:
    """What a pass at ``now`` decides by. Raises ConfigError."""
    routes = load_routes(settings)
    people, watchlist = load_watchlist(settings)
    constituencies = {entry.id: entry.constituency for entry in watchlist.candidate}
    with store.read() as connection:
        standing = hiding.standing(connection, now)
    return Rules(
        taxonomy.load(),
        routes,
        terms_at(now, settings, routes),
        constituencies,
        settings.calendar,
        now,
        tuple(people.candidates.values()),
        standing,
    )


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
        "incident": frozenset([str(facts.incident_id)]),
    }


def revise(alert: Alert, facts: IncidentFacts, rules: Rules) -> Alert:
    """The alert as its incident now asks for: never less urgent than it was."""
    scored = replace(alert, score=max(alert.score, facts.score))
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy, rules.routes.priority)
    flagged_after_all = alert.sample is not None and facts.sample is None
    if priority >= alert.priority and not flagged_after_all:
        return scored
    if flagged_after_all:
        scored = counted_anew(scored, rules.now)
    route = scored.route if scored.review is Review.LEAD else route_to(facts, priority, rules)[0]
    urgent = replace(scored, priority=priority, priority_reasons=reasons, route=route, sample=facts.sample)
    return replace(urgent, due_at=due_at(urgent, rules.terms))


def catch_up(store: Store, rules: Rules) -> Counter[str]:
    """Look at every incident that is not as it was, and at all with an undecided alert once the rules are others.

    Counts ``opened, raised, hidden, heard``.
    """
    counts: Counter[str] = Counter()
    digest = rules.digest
    with store.read() as connection:
        as_before = pending.looks_by(connection, ACTOR) == digest
    if not as_before:
        with store.write() as connection:
            pending.look_by(connection, ACTOR, digest)
    while _is_behind(store):
        with store.write() as connection:
            # Another process may have begun to look by other rules, a new silence's: the rest is looked at by those.
            if pending.looks_by(connection, ACTOR) != digest:
                break
            ids = pending.to_look_at(connection, BATCH)
            counts.update(_look_at(connection, ids, rules))
            pending.strike_off(connection, ids)
    return counts


def _is_behind(store: Store) -> bool:
    with store.read() as connection:
        return bool(pending.to_look_at(connection, 1))


def _look_at(connection: Connection, incident_ids: Sequence[int], rules: Rules) -> Counter[str]:
    """Bring the alerts of these incidents up to date, and open those that are missing."""
    ids = alert_store.undecided(connection, incident_ids)
    facts = incident_facts.by_id(connection, alert_store.without_alert(connection, incident_ids)).values()
    opened = [_open(connection, each, rules) for each in facts if each.items]
    counts = Counter(opened=len(opened))
    if rules.silences:  # before anybody is told of them
        ids += opened
    for step in _steps(connection, ids, rules):
        counts.update(_write_step(connection, step, rules))
    return counts


def _open(connection: Connection, facts: IncidentFacts, rules: Rules) -> int:
    priority, reasons = prioritise(facts, rules.terms.phase, rules.taxonomy, rules.routes.priority)
    return alert_store.add(
        connection,
        facts,
        priority=priority,
        reasons=reasons,
        teams=route_to(facts, priority, rules),
        opened_at=rules.now,
        due_at=None if facts.sample else take_due(rules.now, priority, rules.terms.phase, rules.terms.targets),
        actor=ACTOR,
    )


def _steps(connection: Connection, ids: Sequence[int], rules: Rules) -> list[Step]:
    """What must change of these undecided alerts, those left out of which nothing must."""
    steps = []
    undecided = [alert for alert in alert_store.by_id(connection, ids) if alert.decision is None]
    facts = incident_facts.by_id(connection, [alert.incident_id for alert in undecided])
    hiding_now = silences.hiding(connection, [alert.id for alert in undecided if alert.suppression])
    for before in undecided:
        known = facts[before.incident_id]
        after = revise(before, known, rules)
        covering = Cover(())
        if rules.silences:
            covering = cover(rules.silences, traits(known, after.priority, rules.constituencies), rules.now)
        new = unsettled(after, covering, hiding_now.get(before.id, frozenset()))
        if new or after != before:
            steps.append(Step(before, after, known, covering if new else None))
    return steps


def _write_step(connection: Connection, step: Step, rules: Rules) -> dict[str, int]:
    teams = route_to(step.facts, step.after.priority, rules)
    changed = step.after != step.before
    done = {"raised": int(changed and _write_revision(connection, step.before, step.after, teams, rules.now))}
    if step.covering is not None:
        settled = hiding.settle(connection, step.after, step.covering, hiding.Writer(ACTOR, rules.now, rules.terms))
        done["hidden" if step.covering.silences else "heard"] = int(settled)
    return done


def _write_revision(connection: Connection, before: Alert, after: Alert, teams: Sequence[str], now: datetime) -> bool:
    """Write a revision; True when the alert became more urgent, which the audit tells."""
    if (after.priority, after.sample) == (before.priority, before.sample):
        alert_store.rescore(connection, before.id, after.score)
        return False
    detail: dict[str, Any] = {
        "priority": [priority_name(before.priority), priority_name(after.priority)],
        "score": [before.score, after.score],
        "route": [before.route, after.route],
        "teams": list(teams),
        "reasons": [reason.text for reason in after.priority_reasons],
    }
    return alert_store.change(
        connection, before, after, at=now, actor=ACTOR, action="alert.reprioritise", detail=detail
    )
