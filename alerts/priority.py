"""How urgent an incident is, by the rules of ``routes.toml``, with every rule that spoke in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from alerts.tables import AtLeastOne, Name, Several, Table
from monitor.taxonomy import Taxonomy
from monitor.types import ClaimType, IncidentFacts, Label, Lang, Phase, Role, Said, Stance

MOST_URGENT, LEAST_URGENT = 1, 4
UNTYPED = 3  # where an incident starts whose claim type nobody could tell
SAMPLED = {
    "uncertain": Said(
        "A sample: nobody flagged it, but its score was among the highest of those; it shows what is missed."
    ),
    "random": Said("A sample: nobody flagged it, it was drawn by lot from yesterday's items; it shows what is missed."),
}
FIRM = 0.6  # weight of a finding; an allegation or an odd link has less
_STEPS = {
    -1: Said("One step more urgent ({rule}){why}."),
    -2: Said("Two steps more urgent ({rule}){why}."),
    -3: Said("Three steps more urgent ({rule}){why}."),
    1: Said("One step less urgent ({rule}){why}."),
    2: Said("Two steps less urgent ({rule}){why}."),
    3: Said("Three steps less urgent ({rule}){why}."),
}


class Rule(Table):
    """A ``[[priority]]``: by how many steps an incident is more (negative) or less urgent when every condition holds.

    Of a list, any value will do. ``named``: it names somebody watched; ``found``: a rule found something in it;
    ``firm``: something of weight; ``stance``: of every item of it; ``per_hour_from``: items within its busiest hour.
    """

    name: Name
    step: Annotated[int, Field(ge=-3, le=3)]
    claim_type: Annotated[tuple[ClaimType, ...], Several, AtLeastOne] | None = None
    lang: Annotated[tuple[Lang, ...], Several, AtLeastOne] | None = None
    label: Annotated[tuple[Label, ...], Several, AtLeastOne] | None = None
    role: Annotated[tuple[Role, ...], Several, AtLeastOne] | None = None
    stance: Annotated[tuple[Stance, ...], Several, AtLeastOne] | None = None
    phase: Annotated[tuple[Phase, ...], Several, AtLeastOne] | None = None
    named: bool | None = None
    found: bool | None = None
    firm: bool | None = None
    score_from: float | None = Field(None, ge=0, le=1)
    score_below: float | None = Field(None, ge=0, le=1)
    outlets_from: int | None = Field(None, ge=1)
    items_from: int | None = Field(None, ge=1)
    per_hour_from: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.step == 0:
            raise ValueError("a step of 0 changes nothing; give -1 (one step more urgent) or 1 (one less)")
        if not self.model_fields_set - {"name", "step"}:
            raise ValueError(f"rule {self.name} has no condition; give one, such as outlets_from = 3")
        return self


def priority_name(priority: int) -> str:
    """``P1`` … ``P4``, as people and scripts read it."""
    return f"P{priority}"


def prioritise(
    facts: IncidentFacts, phase: Phase, taxonomy: Taxonomy, rules: Iterable[Rule]
) -> tuple[int, tuple[Said, ...]]:
    """The priority, 1 (most urgent) to 4, and a sentence for each rule that fired, the default first."""
    if facts.sample:
        return LEAST_URGENT, (SAMPLED[facts.sample],)
    if facts.claim_type is None:
        default = UNTYPED
        reasons = [Said("Starts at {priority}: no claim type is clear.", {"priority": priority_name(default)})]
    else:
        default = taxonomy[facts.claim_type].priority_in(phase)
        starts = {"priority": priority_name(default), "claim_type": facts.claim_type, "phase": phase}
        reasons = [Said("Starts at {priority}: {claim_type}, phase {phase}.", starts)]
    steps = 0
    for rule in rules:
        said = list(_conditions(rule, facts, phase))
        if all(holds for holds, _ in said):
            steps += rule.step
            reasons.append(_sentence(rule, [words for _, words in said if words]))
    return max(MOST_URGENT, min(LEAST_URGENT, default + steps)), tuple(reasons)


def _sentence(rule: Rule, words: list[Said]) -> Said:
    why = Said(": {conditions}", {"conditions": words}) if words else ""
    return _STEPS[rule.step].filled(rule=rule.name, why=why)


def _conditions(rule: Rule, facts: IncidentFacts, phase: Phase) -> Iterator[tuple[bool, Said | None]]:
    """Whether each condition of the rule holds, and what it says then; nothing where only an absence is asked for."""
    yield from _kinds(rule, facts, phase)
    firm = dict.fromkeys(str(finding["rule"]) for finding in facts.findings if finding["weight"] >= FIRM)
    found = dict.fromkeys(str(finding["rule"]) for finding in facts.findings)
    if rule.firm is not None:
        said = Said("a rule is firm about it ({finding})", {"finding": list(firm)})
        yield bool(firm) == rule.firm, said if rule.firm else None
    if rule.found is not None:
        said = Said("a rule found something ({finding})", {"finding": list(found)})
        yield bool(found) == rule.found, said if rule.found else None
    if rule.named is not None:
        named = Said("names {names}", {"names": list(facts.matches)})
        yield bool(facts.matches) == rule.named, named if facts.matches else Said("names nobody on the watchlist")
    yield from _counts(rule, facts)


def _counts(rule: Rule, facts: IncidentFacts) -> Iterator[tuple[bool, Said]]:
    """The conditions that ask for so much or so many."""
    if rule.score_from is not None:
        yield facts.score >= rule.score_from, Said("scores {score:.2f}", {"score": facts.score})
    if rule.score_below is not None:
        yield facts.score < rule.score_below, Said("scores only {score:.2f}", {"score": facts.score})
    if rule.outlets_from is not None:
        count = len(facts.outlets)
        yield count >= rule.outlets_from, Said("spread over {count} outlets", {"count": count})
    if rule.items_from is not None:
        yield facts.items >= rule.items_from, Said("published {count} times", {"count": facts.items})
    if rule.per_hour_from is not None:
        said = Said("published {count} times within an hour", {"count": facts.per_hour})
        yield facts.per_hour >= rule.per_hour_from, said


def _kinds(rule: Rule, facts: IncidentFacts, phase: Phase) -> Iterator[tuple[bool, Said]]:
    """The conditions that ask for one of a list."""

    def one_of(
        wanted: tuple[Any, ...] | None, have: Iterable[Any], said: Said, key: str
    ) -> Iterator[tuple[bool, Said]]:
        if wanted is not None:
            both = [value for value in have if value in wanted]
            yield bool(both), said.filled(**{key: both})

    yield from one_of(rule.claim_type, [facts.claim_type], Said("is of the type {claim_type}"), "claim_type")
    yield from one_of(rule.lang, [facts.lang], Said("is written in {lang}"), "lang")
    yield from one_of(rule.label, [facts.label], Said("looks like {label}"), "label")
    yield from one_of(rule.role, facts.roles, Said("comes from outlets that are {role}"), "role")
    if rule.stance is not None:
        every = bool(facts.stances) and set(facts.stances) <= set(rule.stance)
        yield every, Said("every item of it {stance}", {"stance": list(facts.stances)})
    yield from one_of(rule.phase, [phase], Said("the phase is {phase}"), "phase")
