"""What can be checked against a file, or read off the words of a lure; no model. Pure.

A finding says that a text contradicts a line of the roster or of the official facts, says something grave of a watched
candidate, imitates a verified address, or asks its reader for what no office asks; it names the line and quotes the
words. The rules read plain assertions only: a text that refutes, asks, warns or jokes gives none, and which of these it
does is otherwise for the classifier to say. One that names a denial only to dismiss it is a plain assertion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from classifiers.rules import allegations, facts, lookalike, lures, ordinary, roster
from classifiers.rules.addresses import Body, Host, host_of, hosts_in, is_of
from classifiers.rules.allegations import GOES_ROUND
from classifiers.rules.reading import ITS_OWN, Reading
from classifiers.rules.roster import Roster
from monitor.config import Settings
from monitor.links import registrable_domain
from monitor.reference import (
    CandidateEntry,
    FactsFile,
    OfficeEntry,
    WatchlistFile,
    as_candidates,
    load_facts,
    load_watchlist,
)
from monitor.types import ClaimType, Finding, Match, Said
from monitor.watchlist import Watchlist

__all__ = ["GOES_ROUND", "Reference", "check", "is_of_this_election", "is_ordinary", "takes_back"]


@dataclass(frozen=True)
class Reference:
    """What texts are compared with. Built once from the two files."""

    roster: Roster = field(default_factory=lambda: Roster.of(()))
    bodies: tuple[Body, ...] = ()  # everybody with verified domains: offices, outlets, candidates
    outlets: Watchlist = field(default_factory=lambda: Watchlist(()))  # their names, which are no matches
    facts: FactsFile = field(default_factory=FactsFile)
    facts_name: str = "facts.toml"  # how findings name the file
    zone: tzinfo | None = None  # in which a text's day is told

    @classmethod
    def load(cls, settings: Settings) -> Reference:
        """The files that the configuration names. Raises ConfigError."""
        watchlist, file = load_watchlist(settings)
        name = str(settings.files.watchlist)
        return cls(
            roster=Roster.of(watchlist.candidates[entry.id] for entry in file.candidate),
            bodies=_bodies(file, name),
            outlets=Watchlist(as_candidates(file.outlet, name, "outlet")),
            facts=load_facts(settings),
            facts_name=str(settings.files.facts),
            zone=settings.calendar.zone,
        )

    @classmethod
    def empty(cls) -> Reference:
        """Nothing to compare with: for a text judged alone."""
        return cls()


def _bodies(file: WatchlistFile, name: str) -> tuple[Body, ...]:
    kinds: tuple[tuple[str, ClaimType, Sequence[OfficeEntry | CandidateEntry]], ...] = (
        ("office", ClaimType.IMPERSONATION_AUTHORITY, file.office),
        ("outlet", ClaimType.IMPERSONATION_MEDIA, file.outlet),
        ("candidate", ClaimType.IMPERSONATION_CANDIDATE, file.candidate),
    )
    return tuple(
        Body(
            entry.id,
            entry.names[0],
            tuple(domain.lower().removeprefix("www.") for domain in entry.domains),
            claim_type,
            f"{name}: {kind} {entry.id}",
        )
        for kind, claim_type, entries in kinds
        for entry in entries
        if entry.domains
    )


def check(
    text: str,
    link: str | None,
    matches: Sequence[Match],
    reference: Reference,
    published_at: datetime | None = None,
) -> tuple[Finding, ...]:
    """Every finding about one item, in the order of the rules.

    ``text`` is the item's text as matched, ``matches`` the watchlist's hits in it (offsets into ``text``), ``link`` the
    item's own address, ``published_at`` when it said so. Chinese and English patterns both run over every text: posts
    mix them.
    """
    reading = Reading(text, matches)
    day = published_at.astimezone(reference.zone).date() if published_at else None
    return (
        *roster.check(reading, reference.roster, day),
        *facts.check(reading, reference.roster, reference.facts, reference.facts_name, day),
        *allegations.check(reading, reference.roster.candidates),
        *_dismissed(reading, reference.roster.places),
        *_addresses_and_lures(reading, link, reference),
    )


def is_of_this_election(text: str, matches: Sequence[Match], reference: Reference) -> bool:
    """Whether a text names somebody of the watchlist, or speaks of voting in one of its constituencies."""
    reading = Reading(text, matches)
    places = reference.roster.places
    return bool(matches) or (facts.is_of_voting(reading) and any(place in reading.folded for place in places))


def is_ordinary(text: str, matches: Sequence[Match], reference: Reference) -> bool:
    """Whether a text in which ``check`` found nothing reports only what every polling day brings."""
    return ordinary.is_ordinary(Reading(text, matches), reference.roster.candidates, reference.facts.polling)


def takes_back(text: str) -> bool:
    """Whether a text in which ``check`` found nothing says outright, in few words, that a rumour is none."""
    return Reading(text).takes_back


def _dismissed(reading: Reading, places: Iterable[str]) -> Iterator[Finding]:
    """``denial-dismissed``, where the text is about this election.

    What was denied is for the other rules and the model to say: the finding has no claim type.
    """
    if reading.dismisses is None:
        return
    if reading.matches or facts.is_of_voting(reading) or any(place in reading.folded for place in places):
        yield Finding(
            rule="denial-dismissed",
            claim_type=None,
            said=Said("It names a denial only to dismiss it."),
            evidence=reading.dismisses,
            rests_on=ITS_OWN.form,
            weight=0.5,
        )


def _addresses_and_lures(reading: Reading, link: str | None, reference: Reference) -> tuple[Finding, ...]:
    """A text that warns may name the false address; its own link may not be one."""
    own = host_of(link)
    hosts = hosts_in(reading.folded)
    verified = [domain for body in reference.bodies for domain in body.domains]
    suspects: list[Host | str] = [*([own] if own else []), *([] if reading.warns else hosts)]
    imitating = lookalike.check(suspects, reference.bodies)
    elsewhere = [
        host
        for host in hosts
        if not is_of(host.name, verified) and not (own and registrable_domain(host.name) == registrable_domain(own))
    ]
    only_verified = bool(hosts) and not elsewhere
    page = own if own and not hosts and not is_of(own, verified) else None
    named = _named(reading, reference, with_outlets=bool(elsewhere))
    asking = lures.check(
        reading, elsewhere, page, named, reference.facts.telephones, reference.facts_name, verified_only=only_verified
    )
    return (*imitating, *asking)


def _named(reading: Reading, reference: Reference, *, with_outlets: bool) -> list[Body]:
    """The bodies with verified domains that the text names, in order of place; outlets, looked for only here, last."""
    names = (*reading.matches, *(reference.outlets.match(reading.text) if with_outlets else ()))
    by_id = {body.id: body for body in reference.bodies}
    return [by_id[id] for id in dict.fromkeys(name.candidate_id for name in names) if id in by_id]
