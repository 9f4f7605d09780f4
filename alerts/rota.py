"""``rota.toml``: who is in a team, who leads it, and who is on shift when. Pure but for the reading of the file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import model_validator

from alerts.intervals import OnDays, Window, is_within, stretches
from alerts.policy import LEAD, OWNER
from alerts.tables import AtLeastOne, Name, Several, Table
from monitor.calendar import Calendar
from monitor.config import Settings, read_toml, validate
from monitor.text import clean


class Team(Table):
    """A ``[[team]]``."""

    name: Name
    reviewers: Annotated[tuple[Name, ...], Several, AtLeastOne]
    lead: Name | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Its reviewers and its lead."""
        return (*self.reviewers, *([self.lead] if self.lead else []))


class Shift(Window, OnDays):
    """A ``[[shift]]``: these reviewers of a team, at these hours of these days."""

    team: Name
    reviewers: Annotated[tuple[Name, ...], Several, AtLeastOne]


class Rota(Table):
    """The whole file; without a team there is no rota."""

    team: tuple[Team, ...] = ()
    shift: tuple[Shift, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        people = {team.name: team.people for team in self.team}
        if len(people) < len(self.team):
            raise ValueError("two teams have one name; put their reviewers into one [[team]]")
        if word := {OWNER, LEAD} & set(people):
            raise ValueError(f"“{word.pop()}” has a meaning of its own in routes.toml; give the team another name")
        for shift in self.shift:
            if shift.team not in people:
                raise ValueError(f"a shift is of “{shift.team}”, {no_such_team(shift.team, people)}")
            if unknown := [name for name in shift.reviewers if name not in people[shift.team]]:
                raise ValueError(
                    f"“{unknown[0]}” has a shift but is not of the team {shift.team}; add them to reviewers"
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of its teams."""
        return tuple(team.name for team in self.team)


def load_rota(settings: Settings) -> Rota:
    """Read and check the rota; an empty one when the file is not there and the configuration does not name it.

    Raises ConfigError.
    """
    path = settings.path(settings.files.rota)
    if "rota" not in settings.files.model_fields_set and not path.exists():
        return Rota()
    rota: Rota = validate(Rota, read_toml(path), str(path))
    return rota


def no_such_team(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a team that the rota does not have."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"its teams are {', '.join(known)}"
    return f"which is no team of rota.toml; {meant}"


def on_shift(rota: Rota, team: str, now: datetime, calendar: Calendar) -> tuple[str, ...]:
    """Who of ``team`` works at ``now``: those with a shift then; all its reviewers where the team has no shifts."""
    shifts = [shift for shift in rota.shift if shift.team == team]
    if not shifts:
        return next((each.reviewers for each in rota.team if each.name == team), ())
    on = (name for shift in shifts if is_within(now, shift, shift, calendar) for name in shift.reviewers)
    return tuple(dict.fromkeys(on))


def teams_of(rota: Rota, reviewer: str) -> tuple[str, ...]:
    """The teams of one person; of those who lead one, ``lead`` as well."""
    name = clean(reviewer)
    teams = [team.name for team in rota.team if name in team.people]
    return (*teams, *([LEAD] if any(name == team.lead for team in rota.team) else []))


def told(
    rota: Rota, notify: Sequence[str], owner: str, now: datetime, calendar: Calendar
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The teams that ``notify`` means for an alert of the team ``owner``, and the people of them to tell at ``now``.

    ``lead`` stays among the teams, and means the lead of the owner's team.
    """
    teams = tuple(dict.fromkeys(owner if name == OWNER else name for name in notify))
    leads = tuple(team.lead for team in rota.team if team.name == owner and team.lead)
    people = (name for team in teams for name in (leads if team == LEAD else on_shift(rota, team, now, calendar)))
    return teams, tuple(dict.fromkeys(people))


def gaps(
    rota: Rota, team: str, day: date, calendar: Calendar, needed: Callable[[datetime], bool]
) -> list[tuple[datetime, datetime]]:
    """When on the local ``day`` nobody of ``team`` is on shift though ``needed`` says that somebody must be.

    A team without shifts is always there.
    """
    shifts = [shift for shift in rota.shift if shift.team == team]
    if not shifts:
        return []
    spans = [span for shift in shifts for span in stretches(day, day, shift, shift, calendar)]
    now, end = calendar.day_bounds(day)
    found: list[tuple[datetime, datetime]] = []
    while now < end:  # minute by minute: no local time in the files is finer
        following = now + timedelta(minutes=1)
        if not any(start <= now < stop for start, stop in spans) and needed(now):
            begun = found.pop()[0] if found and found[-1][1] == now else now
            found.append((begun, following))
        now = following
    return found
