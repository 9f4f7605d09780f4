"""What can be checked against a file: roster, official facts, verified domains. Pure; no model.

A finding says that a text contradicts a line of those files and names the line. The rules read plain assertions only:
a text that refutes, asks or jokes gives none, and which of these it does is otherwise for the classifier to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.rules import facts, lookalike, roster
from monitor.config import Settings
from monitor.reference import FactsFile, OfficeEntry, load_facts, load_watchlist
from monitor.types import Candidate, Finding, Match

__all__ = ["Reference", "check"]


@dataclass(frozen=True)
class Reference:
    """What texts are compared with. ``candidates`` are the people of the roster by id, without the offices."""

    candidates: Mapping[str, Candidate] = field(default_factory=dict)
    offices: tuple[OfficeEntry, ...] = ()
    facts: FactsFile = field(default_factory=FactsFile)
    watchlist_name: str = "watchlist.toml"  # how findings name the two files
    facts_name: str = "facts.toml"

    @classmethod
    def load(cls, settings: Settings) -> Reference:
        """The files that the configuration names. Raises ConfigError."""
        watchlist, file = load_watchlist(settings)
        people = {entry.id: watchlist.candidates[entry.id] for entry in file.candidate}
        return cls(
            candidates=people,
            offices=file.office,
            facts=load_facts(settings),
            watchlist_name=str(settings.files.watchlist),
            facts_name=str(settings.files.facts),
        )

    @classmethod
    def empty(cls) -> Reference:
        """Nothing to compare with: for a text judged alone."""
        return cls()


def check(text: str, link: str | None, matches: Sequence[Match], reference: Reference) -> tuple[Finding, ...]:
    """Every finding about one item, in the order of the rules.

    ``text`` is the item's text as matched, ``matches`` the watchlist's hits in it (offsets into ``text``), ``link`` the
    item's own address. Chinese and English patterns both run over every text: posts mix them.
    """
    return (
        *roster.check(text, matches, reference.candidates),
        *facts.check(text, matches, reference.candidates, reference.facts, reference.facts_name),
        *lookalike.check(text, link, matches, reference.offices, reference.watchlist_name),
    )
