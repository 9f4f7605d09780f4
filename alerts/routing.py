"""``routes.toml``: which teams get an alert, how soon it should be taken and decided, and what follows if it is not."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from alerts.intervals import Interval
from alerts.policy import LEAD, OWNER, Escalation
from alerts.priority import Rule
from alerts.receivers import Receivers
from alerts.rota import gaps, load_rota, no_such_team
from alerts.tables import AnyOfNames, AtLeastOne, Name, PriorityName, Several, Table
from monitor import seeds
from monitor.calendar import Calendar
from monitor.config import Settings, read_toml, validate
from monitor.errors import ConfigError
from monitor.types import ClaimType, Label, Lang, Phase


class Matchers(Table):
    """What must hold for an alert to go this way: every key given, with any of its values."""

    claim_type: Annotated[tuple[ClaimType, ...], Several, AtLeastOne] | None = None
    lang: Annotated[tuple[Lang, ...], Several, AtLeastOne] | None = None
    label: Annotated[tuple[Label, ...], Several, AtLeastOne] | None = None
    priority: Annotated[tuple[PriorityName, ...], Several, AtLeastOne] | None = None
    candidate: AnyOfNames | None = None
    constituency: AnyOfNames | None = None

    def hold(self, traits: Traits) -> bool:
        """Whether an alert with these traits may go this way."""
        return all(not traits.get(key, frozenset()).isdisjoint(wanted) for key, wanted in self if wanted is not None)


Traits = Mapping[str, frozenset[str]]  # what matchers compare with: the alert's values for each of their keys


class Route(Table):
    """A node of the tree. Without ``team`` it has its parent's.

    ``continue``: the walk goes on to the nodes after it, whose teams are told as well. ``active_time_intervals``:
    outside all of them the walk passes it by.
    """

    team: Name | None = None
    match: Matchers = Matchers()
    goes_on: bool = Field(False, alias="continue")
    active_time_intervals: Annotated[tuple[Name, ...], Several, AtLeastOne] | None = None
    routes: tuple[Route, ...] = ()


class Target(Table):
    """Minutes from the opening of an alert until it should be taken, decided, and a clarification drafted."""

    take: int = Field(gt=0)
    decide: int = Field(gt=0)
    clarify: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.take > self.decide:
            raise ValueError("take must not be later than decide")
        if self.clarify is not None and self.decide > self.clarify:
            raise ValueError("decide must not be later than clarify")
        return self


class PhaseTargets(Table):
    """The targets of one phase of the election, by priority."""

    P1: Target
    P2: Target
    P3: Target
    P4: Target

    def of(self, priority: int) -> Target:
        """The target of priority 1 … 4."""
        return (self.P1, self.P2, self.P3, self.P4)[priority - 1]


class Targets(Table):
    """All targets; a phase that is not given uses ``default``."""

    default: PhaseTargets
    before: PhaseTargets | None = None
    nomination: PhaseTargets | None = None
    campaign: PhaseTargets | None = None
    polling_day: PhaseTargets | None = Field(None, alias="polling-day")
    count: PhaseTargets | None = None
    after: PhaseTargets | None = None

    def of(self, phase: Phase, priority: int) -> Target:
        """The target of one priority in one phase."""
        given: PhaseTargets | None = getattr(self, phase.replace("-", "_"))
        return (given or self.default).of(priority)


@cache
def _shipped(key: str) -> Any:
    """What a file has that does not speak of it: a desk's file may be older than the program."""
    return seeds.toml("routes.toml")[key]


class Routes(Table):
    """The whole file. Without ``escalation``, ``priority`` or ``names`` it has those of the starter file.

    ``names``: by language, what teams and priority rules are called on screens.
    """

    route: Route
    targets: Targets
    receiver: Receivers = ()
    time_interval: tuple[Interval, ...] = ()
    escalation: Escalation = Field(default_factory=lambda: _shipped("escalation"), validate_default=True)
    priority: tuple[Rule, ...] = Field(default_factory=lambda: _shipped("priority"), validate_default=True)
    names: Mapping[Lang, Mapping[Name, Name]] = Field(default_factory=lambda: _shipped("names"), validate_default=True)

    @field_validator("time_interval", "priority")
    @classmethod
    def _one_of_a_name(cls, named: tuple[Interval | Rule, ...], info: ValidationInfo) -> Any:
        names = [each.name for each in named]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two [[{info.field_name}]] have the name {name}; give each its own")
        return named

    @model_validator(mode="after")
    def _root_takes_all(self) -> Self:
        root = self.route
        if root.team is None or root.match != Matchers() or root.active_time_intervals or root.goes_on:
            raise ValueError(
                "the root route needs a team and no match, continue or active_time_intervals: it takes what no other "
                "route does"
            )
        return self

    @model_validator(mode="after")
    def _intervals_are_there(self) -> Self:
        known = [interval.name for interval in self.time_interval]
        for key, route in nodes(self.route):
            for name in route.active_time_intervals or ():
                if name not in known:
                    near = difflib.get_close_matches(name, known, n=1)
                    meant = f"did you mean {near[0]}?" if near else "add a [[time_interval]] of that name"
                    raise ValueError(f"{key}.active_time_intervals: there is no time_interval “{name}”; {meant}")
        return self

    def active(self, route: Route, now: datetime, calendar: Calendar) -> bool:
        """Whether the walk may enter ``route`` at ``now``."""
        names = route.active_time_intervals
        return names is None or any(i.active(now, calendar) for i in self.time_interval if i.name in names)


@dataclass(frozen=True, slots=True)
class Way:
    """One way through the tree: the key of each node in routes.toml from the root on, and the team at its end."""

    path: tuple[str, ...]
    team: str


def load_routes(settings: Settings) -> Routes:
    """Read and check the routes file; with a rota, every team in it must be there. Raises ConfigError."""
    path = settings.path(settings.files.routes)
    routes: Routes = validate(Routes, read_toml(path), str(path))
    rota = load_rota(settings)
    if rota.team:
        for key, name in _teams_named(routes):
            if name not in rota.names:
                raise ConfigError(str(path), key, f"names “{name}”, {no_such_team(name, rota.names)}")
    return routes


def nodes(root: Route, key: str = "route") -> Iterator[tuple[str, Route]]:
    """Every node of the tree with its key, a parent before its children."""
    yield key, root
    for number, child in enumerate(root.routes):
        yield from nodes(child, f"{key}.routes.{number}")


def ways(routes: Routes, traits: Traits, now: datetime, calendar: Calendar) -> tuple[Way, ...]:
    """Every way that an alert with these traits goes at ``now``; the first leads to its owner.

    Alertmanager's walk (dispatch/route.go, ``Route.Match``): depth first into every child whose matchers hold, up to
    and with the first without ``continue``; a node none of whose children match is an end itself; a child inherits its
    parent's team. Other than there a node outside its hours is passed by, not muted: somebody must own the alert.
    """

    def walk(node: Route, key: str, path: tuple[str, ...], team: str) -> tuple[Way, ...]:
        here, team = (*path, key), node.team or team
        found: tuple[Way, ...] = ()
        for number, child in enumerate(node.routes):
            if child.match.hold(traits) and routes.active(child, now, calendar):
                found += walk(child, f"{key}.routes.{number}", here, team)
                if not child.goes_on:
                    break
        return found or (Way(here, team),)

    return walk(routes.route, "route", (), str(routes.route.team))


def teams(routes: Routes, traits: Traits, now: datetime, calendar: Calendar) -> tuple[str, ...]:
    """Who gets an alert with these traits at ``now``, each once: its owner first, then those who are told as well."""
    return tuple(dict.fromkeys(way.team for way in ways(routes, traits, now, calendar)))


def urgent_teams(routes: Routes, now: datetime, calendar: Calendar) -> frozenset[str]:
    """The teams to which some alert of P1 may go at ``now``."""

    def walk(node: Route, team: str) -> Iterator[str]:
        team = node.team or team
        yield team
        for child in node.routes:
            if "P1" in (child.match.priority or ("P1",)) and routes.active(child, now, calendar):
                yield from walk(child, team)

    return frozenset(walk(routes.route, str(routes.route.team)))


def _teams_named(routes: Routes) -> Iterator[tuple[str, str]]:
    """Every team that the file names, with its key; the words with a meaning of their own left out."""
    yield from ((f"{key}.team", route.team) for key, route in nodes(routes.route) if route.team)
    yield from ((f"{key}.notify", name) for key, name in routes.escalation.named() if name not in (OWNER, LEAD))


def rota_problems(settings: Settings) -> list[str]:
    """A sentence for each stretch of polling day in which a P1 may come for a team of which nobody is on shift.

    Raises ConfigError.
    """
    routes, rota, calendar = load_routes(settings), load_rota(settings), settings.calendar
    if not rota.team or calendar.polling_opens is None:
        return []
    day = calendar.local_date(calendar.polling_opens)
    file = settings.path(settings.files.rota)
    urgent = cache(partial(urgent_teams, routes, calendar=calendar))  # by minute, for all teams at once
    problems = []
    for team in rota.names:
        for start, end in gaps(rota, team, day, calendar, partial(_is_in, urgent, team)):
            hours = " to ".join(instant.astimezone(calendar.zone).strftime("%H:%M") for instant in (start, end))
            problems.append(
                f"{file}: shift: nobody of {team} is on shift on polling day from {hours}, when a P1 may come for "
                "them; add a [[shift]]"
            )
    return problems


def _is_in(urgent: Callable[[datetime], frozenset[str]], team: str, now: datetime) -> bool:
    return team in urgent(now)
