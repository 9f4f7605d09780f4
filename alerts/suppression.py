"""Why an alert stays quiet, and when it is heard again: silences and inhibition, decided without the store. Pure.

A *silence* hides the alerts whose traits its matchers hold for, until it ends. An alert is *inhibited* when a reviewer
has clarified the same claim on another incident, for as long as it says no more than that claim did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import ValidationError, field_validator

from alerts.clocks import Terms, counted_anew, due_at
from alerts.routing import Matchers, Traits
from alerts.tables import AnyOfNames
from classifiers import sentences
from monitor.errors import InputError
from monitor.types import Alert, AlertState, IncidentFacts, Lang, Ruling, Said, Silence, Suppression

LONGEST = timedelta(days=14)
# Of Chinese texts that are confirmed to repeat a claim, four in five do so at the threshold of classifiers.claims; of
# those as similar as this at least 86 % (tests/benchmarks/match.py), and what was counted wrong mostly told one story.
HAN_SIMILARITY = 0.45
RULED_WITHIN = timedelta(days=30)
SPREAD_FACTOR = 3


class SilenceMatchers(Matchers):
    """Those of routes.toml, and the incident."""

    incident: AnyOfNames | None = None

    @field_validator("incident")
    @classmethod
    def _numbers(cls, ids: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if ids and not all(word.isascii() and word.isdecimal() for word in ids):
            raise ValueError("an incident is named by its number")
        return tuple(str(int(word)) for word in ids) if ids else None

    @classmethod
    def read(cls, words: Iterable[str]) -> Self:
        """From ``KEY=VALUE`` words; of a key given again any value will do. Raises InputError, also for no word."""
        given: dict[str, list[str]] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals or not value:
                raise InputError(word, f"is not KEY=VALUE; keys are {', '.join(cls.model_fields)}")
            given.setdefault(key, []).append(value)
        if not given:
            raise InputError("matchers", f"give at least one KEY=VALUE, or all would be hidden: {_keys(cls)}")
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = str(first["loc"][0])
            if first["type"] == "extra_forbidden":
                raise InputError(key, f"is no key of a silence: {_keys(cls)}") from None
            raise InputError(f"{key}={given[key][0]}", first["msg"].removeprefix("Value error, ")) from None

    def as_json(self) -> dict[str, list[str]]:
        """The values by key, of the keys that are given."""
        return self.model_dump(mode="json", exclude_none=True)


def _keys(matchers: type[Matchers]) -> str:
    return f"keys are {', '.join(matchers.model_fields)}"


@dataclass(frozen=True, slots=True)
class Cover:
    """The silences that cover one alert; none of them, and it is to be heard."""

    silences: tuple[Silence, ...]

    @property
    def ids(self) -> frozenset[int]:
        """Of the silences."""
        return frozenset(silence.id for silence in self.silences)

    @property
    def until(self) -> datetime:
        """When the last of them ends."""
        return max(silence.ends_at for silence in self.silences)


def cover(silences: Iterable[tuple[Silence, SilenceMatchers]], traits: Traits, now: datetime) -> Cover:
    """Those of ``silences`` that hold at ``now`` for an alert with these traits."""
    return Cover(
        tuple(
            silence
            for silence, matchers in silences
            if silence.starts_at <= now < silence.ends_at and matchers.hold(traits)
        )
    )


def unsettled(alert: Alert, covering: Cover, hiding: frozenset[int]) -> bool:
    """Whether the silences that cover an alert are others than those written down as ``hiding`` it.

    What somebody holds stays as it is; so does what is inhibited.
    """
    if alert.state is not AlertState.OPEN or alert.suppression not in (None, Suppression.SILENCE):
        return False
    return covering.ids != (hiding if alert.suppression else frozenset())


def silenced(alert: Alert, covering: Cover, terms: Terms) -> Alert:
    """The alert as it is while these silences cover it: its clock starts when the last of them ends."""
    quiet = counted_anew(replace(alert, suppression=Suppression.SILENCE, inhibited_by=None), covering.until)
    return replace(quiet, due_at=due_at(quiet, terms))


def inhibited(alert: Alert, ruling: Ruling) -> Alert:
    """The alert as it is while that ruling answers it."""
    return replace(alert, suppression=Suppression.INHIBITED, inhibited_by=ruling.alert_id)


def heard(alert: Alert, at: datetime, terms: Terms, reason: Said | None = None) -> Alert:
    """The alert with no suppression since ``at``, from which its clock counts anew; it says the reason, if given."""
    reasons = alert.priority_reasons
    if reason is not None:
        reasons = (*reasons, Said("Back in the queue: {reason}.", {"reason": reason}))
    open_again = counted_anew(replace(alert, suppression=None, inhibited_by=None, priority_reasons=reasons), at)
    return replace(open_again, due_at=due_at(open_again, terms))


def is_sure(similarity: float, lang: Lang) -> bool:
    """Whether a confirmed match is close enough for a program to act on it: in Chinese more is asked for."""
    return lang is Lang.EN or similarity >= HAN_SIMILARITY


def may_answer(ruling: Ruling, facts: IncidentFacts, now: datetime) -> bool:
    """Whether a ruling is recent, its incident another one that named the same people, and nothing new was found here.

    One wording about two people is two claims, and so is one wording with another fact (see classifiers.group).
    """
    recent = now - ruling.decided_at <= RULED_WITHIN and ruling.incident_id != facts.incident_id
    return recent and ruling.names == frozenset(facts.matches) and not _new(facts, ruling)


def drift(
    facts: IncidentFacts, ruling: Ruling, spread_then: tuple[int, int], *, strayed: Sequence[str] = ()
) -> Said | None:
    """Why an inhibited alert must be heard again; None when nothing speaks for it.

    ``spread_then`` are items and outlets when it was inhibited, ``strayed`` the titles of its newest items that do not
    repeat the claim any more.
    """
    other = ruling.alert_id
    if new := _new(facts, ruling):
        return Said(
            "a rule found in it what the claim that alert {other} decided did not say: {found}",
            {"other": other, "found": sentences.found(new[0])},
        )
    if ruling.names != frozenset(facts.matches):
        now, then = (sorted(names) or Said("nobody") for names in (facts.matches, ruling.names))
        return Said(
            "it names {now}, and the claim that alert {other} decided names {then}",
            {"now": now, "other": other, "then": then},
        )
    if strayed:
        return Said(
            "its text moved away from the claim that alert {other} decided: {title}",
            {"other": other, "title": strayed[0]},
        )
    for form, count, before in zip(_SPREAD, (facts.items, len(facts.outlets)), spread_then, strict=True):
        if count >= SPREAD_FACTOR * before:
            return form.filled(before=before, count=count, other=other)
    return None


_SPREAD = (
    Said("it spread from {before} to {count} items since it was inhibited by alert {other}"),
    Said("it spread from {before} to {count} outlets since it was inhibited by alert {other}"),
)


def _new(facts: IncidentFacts, ruling: Ruling) -> list[Mapping[str, Any]]:
    return [found for found in facts.findings if (found["rule"], found["rests_on"]) not in ruling.findings]
