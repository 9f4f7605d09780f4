"""The files a team keeps beside its configuration: watchlist, official facts. Everything local is data here."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor import seeds
from monitor.config import Settings, read_toml, validate
from monitor.errors import ConfigError
from monitor.types import Candidate
from monitor.watchlist import Watchlist, name_forms

CandidateStatus = Literal["declared", "nominated", "validated", "withdrawn", "disqualified"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LatinName(_Table):
    """A name in Latin letters; every order of its parts is watched for."""

    surname: str = Field(min_length=1)
    given: str = ""
    english: str = ""


class CandidateEntry(_Table):
    """One person of the roster."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9-]+$")
    names: tuple[str, ...] = Field(min_length=1)
    latin: LatinName | None = None
    aliases: tuple[str, ...] = ()
    number: int | None = Field(None, ge=1)
    constituency: tuple[str, ...] = ()
    party: tuple[str, ...] = ()
    status: CandidateStatus = "validated"
    status_since: date | None = None


class OfficeEntry(_Table):
    """A body that is impersonated: its names, and the domains it really uses."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9-]+$")
    names: tuple[str, ...] = Field(min_length=1)
    domains: tuple[str, ...] = ()


class WatchlistFile(_Table):
    """``watchlist.toml``."""

    candidate: tuple[CandidateEntry, ...] = ()
    office: tuple[OfficeEntry, ...] = ()


class Polling(_Table):
    """Hours and place of the poll."""

    day: date | None = None
    opens: time | None = None
    closes: time | None = None
    stations: int | None = Field(None, ge=1)
    electorate: int | None = Field(None, ge=1)
    source: str = ""


class FactsFile(_Table):
    """``facts.toml``: what is officially so."""

    polling: Polling = Polling()
    checked_at: datetime | date | None = None


def load_watchlist(settings: Settings) -> tuple[Watchlist, WatchlistFile]:
    """The watchlist as matcher and as written. Raises ConfigError."""
    path = settings.path(settings.files.watchlist)
    name = str(settings.files.watchlist)
    file: WatchlistFile = validate(WatchlistFile, read_toml(path), str(path))
    seen: set[str] = set()
    entries: list[CandidateEntry | OfficeEntry] = [*file.candidate, *file.office]
    for entry in entries:
        if entry.id in seen:
            raise ConfigError(str(path), f"id {entry.id}", "stands twice; every candidate and office needs its own")
        seen.add(entry.id)
    people = [as_candidate(entry, name) for entry in file.candidate]
    offices = [Candidate(id=o.id, names=o.names, source=f"{name}: office {o.id}") for o in file.office]
    return Watchlist([*people, *offices]), file


def seed_candidates() -> list[Candidate]:
    """The invented candidates of the starter watchlist, who also people the seed examples."""
    name = "watchlist.toml"
    file: WatchlistFile = validate(WatchlistFile, seeds.toml(name), name)
    return [as_candidate(entry, name) for entry in file.candidate]


def as_candidate(entry: CandidateEntry, file: str) -> Candidate:
    """A roster entry with every form of its name."""
    forms = list(entry.aliases)
    if entry.latin:
        forms += name_forms(entry.latin.surname, entry.latin.given, entry.latin.english)
    return Candidate(
        id=entry.id,
        names=entry.names,
        aliases=tuple(dict.fromkeys(forms)),
        number=entry.number,
        constituency=entry.constituency,
        party=entry.party,
        status=entry.status,
        source=f"{file}: candidate {entry.id}",
    )


def load_facts(settings: Settings) -> FactsFile:
    """The official facts. Raises ConfigError."""
    path = settings.path(settings.files.facts)
    facts: FactsFile = validate(FactsFile, read_toml(path), str(path))
    return facts
