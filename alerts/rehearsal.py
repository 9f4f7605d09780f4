"""`routes test`: who would get an alert, and when, if nobody touched it. Reads the files, touches no store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.clocks import clarify_due, counts_from, decide_due, take_due, terms_at
from alerts.policy import after_step, due_steps
from alerts.priority import UNTYPED, priority_name
from alerts.rota import Rota, load_rota, on_shift, told
from alerts.routing import Matchers, Routes, Traits, load_routes, teams, ways
from monitor import taxonomy
from monitor.calendar import Calendar
from monitor.config import Settings, validate
from monitor.errors import ConfigError, InputError
from monitor.reference import load_watchlist
from monitor.types import Alert, AlertState, ClaimType, Phase

KEYS = tuple(Matchers.model_fields)


def read_words(words: Sequence[str]) -> dict[str, list[str]]:
    """``KEY=VALUE`` words as values by key; several values with commas, or with the key again. Raises InputError."""
    given: dict[str, list[str]] = {}
    for word in words:
        key, equals, values = word.partition("=")
        if key not in KEYS or not equals or not all(value.strip() for value in values.split(",")):
            raise InputError(word, f"write KEY=VALUE with a key of {', '.join(KEYS)}; try lang=en")
        given.setdefault(key, []).extend(value.strip() for value in values.split(","))
    return given


def rehearse(settings: Settings, words: Sequence[str], at: datetime) -> dict[str, Any]:
    """What would become of an alert with these ``KEY=VALUE`` traits, opened at ``at`` and left alone.

    A candidate brings their constituencies along; without a priority it has that of its claim type. Keys: ``at, phase,
    priority, traits, ways[{path, team}], teams, on_shift{}, take_due_at, decide_due_at, clarify_due_at, steps[{at,
    step, level, teams, people, reason, repeat, times}]``. Raises InputError for wrong words, ConfigError for wrong
    files.
    """
    routes, rota, calendar = load_routes(settings), load_rota(settings), settings.calendar
    phase = calendar.phase(at)
    traits = _traits(settings, read_words(words), phase)
    priority = min(int(name[1]) for name in traits["priority"])
    told_of_it = teams(routes, traits, at, calendar)
    clock = (at, priority, phase, routes.targets)
    return {
        "at": at,
        "phase": phase,
        "priority": priority_name(priority),
        "traits": {key: sorted(values) for key, values in traits.items()},
        "ways": [{"path": list(way.path), "team": way.team} for way in ways(routes, traits, at, calendar)],
        "teams": list(told_of_it),
        "on_shift": {team: list(on_shift(rota, team, at, calendar)) for team in told_of_it},
        "take_due_at": take_due(*clock),
        "decide_due_at": decide_due(*clock),
        "clarify_due_at": clarify_due(*clock),
        "steps": list(_steps(_opened(told_of_it[0], priority, at), settings, routes, rota)),
    }


def _traits(settings: Settings, given: Mapping[str, list[str]], phase: Phase) -> Traits:
    try:
        validate(Matchers, dict(given), "")
    except ConfigError as error:
        raise InputError(f"{error.key}", error.mend) from None
    values = {key: frozenset(words) for key, words in given.items()}
    _, watchlist = load_watchlist(settings)
    candidates = {entry.id: entry.constituency for entry in watchlist.candidate}
    known = {*candidates, *(office.id for office in watchlist.office)}
    for id in values.get("candidate", ()):
        if id not in known:
            raise InputError(f"candidate={id}", f"{settings.files.watchlist} has no such id; it has {_few(known)}")
    places = [place for id in values.get("candidate", ()) for place in candidates.get(id, ())]
    if places:
        values["constituency"] = values.get("constituency", frozenset()) | set(places)
    if "priority" not in values:
        meanings = [taxonomy.load()[ClaimType(word)].priority_in(phase) for word in values.get("claim_type", ())]
        values["priority"] = frozenset([priority_name(min(meanings, default=UNTYPED))])
    return values


def _few(known: set[str]) -> str:
    shown = sorted(known)[:8]
    return ", ".join(shown) + (", …" if len(known) > len(shown) else "")


def _opened(team: str, priority: int, at: datetime) -> Alert:
    return Alert(
        id=0,
        incident_id=0,
        state=AlertState.OPEN,
        priority=priority,
        level=0,
        score=0.0,
        opened_at=at,
        due_at=None,
        holder=None,
        lease_expires_at=None,
        route=team,
        suppression=None,
        decided_at=None,
        decision=None,
        verdict=None,
    )


def _steps(alert: Alert, settings: Settings, routes: Routes, rota: Rota) -> Iterator[dict[str, Any]]:
    """Every step in its order, by the phase of its own moment, and those who are on shift then."""
    calendar = settings.calendar
    for now in _moments(alert, routes, calendar):
        policy = routes.escalation.of(terms_at(now, settings, routes).phase, alert.priority)
        for due in due_steps(alert, counts_from(alert), now, policy):
            alert = after_step(alert, due, now)
            to, people = told(rota, due.step.notify, alert.route, now, calendar)
            yield {
                "at": now,
                "step": f"{due.step.unless}-{due.number}",
                "level": alert.level,
                "teams": list(to),
                "people": list(people),
                "reason": due.reason,
                "repeat": due.step.repeat,
                "times": due.step.times if due.step.repeat else None,
            }


def _moments(alert: Alert, routes: Routes, calendar: Calendar) -> list[datetime]:
    """When a step may be due: at the delay of any step of any phase, or when a phase begins."""
    start = counts_from(alert)
    delays = {step.after for phase in Phase for step in routes.escalation.of(phase, alert.priority).steps}
    delayed = [start + timedelta(minutes=minutes) for minutes in sorted(delays)]
    return sorted({*delayed, *(turn for turn in calendar.turns() if start < turn)})
