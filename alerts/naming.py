"""What people, offices, teams and priority rules are called in the language in use.

Reasons and the audit name them as the files do: a person by the id or the first name in the watchlist, a team or a rule
by its name in routes.toml. Whoever reads that is told the name of their language, and where there is none, the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.routing import load_routes
from monitor.config import Settings
from monitor.language import term, used
from monitor.reference import CandidateEntry, OfficeEntry, load_watchlist
from monitor.types import Lang, Said

_PEOPLE = frozenset({"name", "names", "other", "body", "now", "then"})  # values of sentences that name who is watched
_OURS = frozenset({"route", "rule", "teams"})  # values that name what routes.toml does


@dataclass(frozen=True, slots=True)
class Naming:
    """Names by language: of whom the watchlist has, by id and by every listed name; of teams and rules, by name."""

    people: Mapping[str, Mapping[Lang, str]] = field(default_factory=dict)
    ours: Mapping[str, Mapping[Lang, str]] = field(default_factory=dict)

    def person(self, id: str) -> str:
        """Of somebody watched; the id when the watchlist does not have them any more."""
        return _in_use(self.people, id)

    def team(self, name: str) -> str:
        """Of a team or a priority rule; the name itself when routes.toml gives it no other."""
        return _in_use(self.ours, name)

    def told(self, said: Said) -> Said:
        """A sentence with those names in it."""
        return Said(said.form, {key: self._value(key, value) for key, value in said.values.items()})

    def _value(self, key: str, value: Any) -> Any:
        match value:
            case Said():
                return self.told(value)
            case list() | tuple():
                return [self._value(key, each) for each in value]
            case str() if key in _PEOPLE:
                return self.person(value)
            case str() if key in _OURS:
                return self.team(value)
            case _:
                return value


def load_naming(settings: Settings) -> Naming:
    """What the watchlist and routes.toml call them. Raises ConfigError."""
    watched = load_watchlist(settings)[1]
    spoken = watched.spoken()
    entries: tuple[CandidateEntry | OfficeEntry, ...] = (*watched.candidate, *watched.office)
    listed = [
        (name, spoken[entry.id])
        for entry in entries
        for name in dict.fromkeys((*entry.names, *spoken[entry.id].values()))
    ]
    shared = Counter(name for name, _ in listed)  # two people of one name are not to be taken for each other
    ours: dict[str, dict[Lang, str]] = {}
    for lang, names in load_routes(settings).names.items():
        for name, called in names.items():
            ours.setdefault(name, {})[lang] = called
    return Naming({**spoken, **{name: called for name, called in listed if shared[name] == 1}}, ours)


def actor(name: str) -> str:
    """Who did something: a reviewer, or a stage of the program by what it is called."""
    return term("actor", name)


def _in_use(names: Mapping[str, Mapping[Lang, str]], name: str) -> str:
    return names.get(name, {}).get(used(), name)
