"""The files a team keeps beside its configuration: watchlist, official facts. Everything local is data here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor import seeds
from monitor.config import Settings, read_toml, validate
from monitor.errors import ConfigError
from monitor.text import HAN, fold
from monitor.types import Candidate, Lang, Names
from monitor.watchlist import Watchlist, name_forms, uncertain_forms, without_accents

Words = Annotated[str, Field(pattern=r"\S")]  # an empty name would stand in every text
CandidateStatus = Literal["declared", "nominated", "validated", "withdrawn", "disqualified"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LatinName(_Table):
    """A name in Latin letters; every order of its parts is watched for."""

    surname: str = Field(min_length=1)
    given: str = ""
    english: str = ""

    @property
    def whole(self) -> str:
        """As it is printed: with an English name before the surname, else the given name behind it."""
        return f"{self.english} {self.surname}" if self.english else f"{self.surname} {self.given}".strip()


class CandidateEntry(_Table):
    """One person of the roster."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9-]+$")
    names: tuple[Words, ...] = Field(min_length=1)
    latin: LatinName | None = None
    aliases: tuple[Words, ...] = ()
    common: tuple[Words, ...] = ()  # of the names above: those that are common words or borne by others
    context: tuple[Words, ...] = ()  # words beside which a common name counts
    not_in: tuple[Words, ...] = ()  # phrases in which a name does not count
    number: int | None = Field(None, ge=1)
    constituency: tuple[Words, ...] = ()
    party: tuple[Words, ...] = ()
    status: CandidateStatus = "validated"
    status_since: date | None = None
    domains: tuple[Words, ...] = ()


class OfficeEntry(_Table):
    """A body that is impersonated: its names, and the domains it really uses."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9-]+$")
    names: tuple[Words, ...] = Field(min_length=1)
    domains: tuple[Words, ...] = ()


class OutletEntry(OfficeEntry):
    """A news outlet that is impersonated. Naming it is no match: every report names some outlet."""


class WatchlistFile(_Table):
    """``watchlist.toml``."""

    candidate: tuple[CandidateEntry, ...] = ()
    office: tuple[OfficeEntry, ...] = ()
    outlet: tuple[OutletEntry, ...] = ()

    def spoken(self) -> dict[str, Names]:
        """What candidates and offices are called in the languages of screens and mails, by id."""
        entries: tuple[CandidateEntry | OfficeEntry, ...] = (*self.candidate, *self.office)
        latin = {entry.id: {Lang.EN: entry.latin.whole} for entry in self.candidate if entry.latin}
        return {entry.id: {**in_both(entry.names), **latin.get(entry.id, {})} for entry in entries}


def in_both(names: Sequence[str]) -> Names:
    """Of the names of one thing the first in each language of screens and mails; where it has none, the first."""
    english = next((name for name in names if not HAN.search(name)), names[0])
    return {Lang.EN: english, Lang.HANT: next((name for name in names if HAN.search(name)), names[0])}


class Figures(_Table):
    """Published figures of the election, or of one constituency of it."""

    stations: int | None = Field(None, ge=1)
    electorate: int | None = Field(None, ge=1)
    voted: int | None = Field(None, ge=0)


class Polling(Figures):
    """Hours, place and figures of the poll."""

    day: date | None = None
    opens: time | None = None
    closes: time | None = None
    source: str = ""


class ConstituencyFigures(Figures):
    """Figures of one constituency; ``names`` in every script."""

    names: tuple[Words, ...] = Field(min_length=1)


class Identity(_Table):
    """What a voter shows at the station: one of ``accepted``, never ``refused``; nobody asks for ``not_needed``."""

    accepted: tuple[Words, ...] = ()
    refused: tuple[Words, ...] = ()
    not_needed: tuple[Words, ...] = ()


class Telephones(_Table):
    """Numbers known to be official, and numbers known from scams."""

    official: tuple[Words, ...] = ()
    reported: tuple[Words, ...] = ()


class FactsFile(_Table):
    """``facts.toml``: what is officially so."""

    polling: Polling = Polling()
    constituency: tuple[ConstituencyFigures, ...] = ()
    identity: Identity = Identity()
    telephones: Telephones = Telephones()
    checked_at: datetime | date | None = None


def load_watchlist(settings: Settings) -> tuple[Watchlist, WatchlistFile]:
    """The watchlist as matcher and as written. Raises ConfigError."""
    path = settings.path(settings.files.watchlist)
    name = str(settings.files.watchlist)
    file: WatchlistFile = validate(WatchlistFile, read_toml(path), str(path))
    seen: set[str] = set()
    entries: list[CandidateEntry | OfficeEntry] = [*file.candidate, *file.office, *file.outlet]
    for entry in entries:
        if entry.id in seen:
            raise ConfigError(
                str(path), f"id {entry.id}", "stands twice; every candidate, office and outlet needs its own"
            )
        seen.add(entry.id)
        for domain in entry.domains:
            if "/" in domain or "." not in domain.strip("."):
                raise ConfigError(
                    str(path), f"{entry.id}: domains", f"“{domain}” is no domain; write it as in harbour.example"
                )
    people = [as_candidate(entry, name) for entry in file.candidate]
    for entry, person in zip(file.candidate, people, strict=True):
        forms = {fold(form) for form in (*person.names, *person.aliases)}
        for common in entry.common:
            if fold(common) not in forms:
                raise ConfigError(
                    str(path), f"{entry.id}: common", f"“{common}” is none of the names; add it to aliases"
                )
    return Watchlist([*people, *as_candidates(file.office, name)]), file


def seed_candidates() -> list[Candidate]:
    """The invented candidates of the starter watchlist, who also people the seed examples."""
    name = "watchlist.toml"
    file: WatchlistFile = validate(WatchlistFile, seeds.toml(name), name)
    return [as_candidate(entry, name) for entry in file.candidate]


def as_candidate(entry: CandidateEntry, file: str) -> Candidate:
    """A roster entry with every form of its name."""
    latin = (entry.latin.surname, entry.latin.given, entry.latin.english) if entry.latin else ("", "", "")
    forms = [*entry.aliases, *(name_forms(*latin) if entry.latin else ())]
    forms += [plain for name in (*entry.names, *forms) if (plain := without_accents(name)) != name]
    listed = {fold(name) for name in (*entry.names, *entry.aliases)}  # what the team lists is not doubted for its form
    doubtful = [form for form in uncertain_forms(entry.names, *latin) if fold(form) not in listed]
    doubtful += [plain for name in (*entry.common, *doubtful) if (plain := without_accents(name)) != name]
    return Candidate(
        id=entry.id,
        names=entry.names,
        aliases=tuple(dict.fromkeys(forms)),
        number=entry.number,
        constituency=entry.constituency,
        party=entry.party,
        status=entry.status,
        status_since=entry.status_since,
        uncertain=tuple(dict.fromkeys([*entry.common, *doubtful])),
        context=entry.context,
        not_in=entry.not_in,
        source=f"{file}: candidate {entry.id}",
    )


def as_candidates(bodies: Iterable[OfficeEntry], file: str, kind: str = "office") -> list[Candidate]:
    """Offices or outlets, as far as their names are looked for."""
    return [Candidate(id=body.id, names=body.names, source=f"{file}: {kind} {body.id}") for body in bodies]


def load_facts(settings: Settings) -> FactsFile:
    """The official facts. Raises ConfigError."""
    path = settings.path(settings.files.facts)
    facts: FactsFile = validate(FactsFile, read_toml(path), str(path))
    return facts
