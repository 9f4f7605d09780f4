"""How urgent an incident is, by the rules of ``routes.toml``, with every rule that spoke in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from alerts.tables import AtLeastOne, Name, Several, Table
from monitor.taxonomy import Taxonomy
from monitor.text import sentence_list
from monitor.types import ClaimType, IncidentFacts, Label, Lang, Phase, Role

MOST_URGENT, LEAST_URGENT = 1, 4
UNTYPED = 3  # where an incident starts whose claim type nobody could tell
SAMPLED = {
    "uncertain": "A sample: nobody flagged it, but its score was among the highest of those; it shows what is missed.",
    "random": "A sample: nobody flagged it, it was drawn by lot from yesterday's items; it shows what is missed.",
}
FIRM = 0.6  # weight of a finding; an allegation or an odd link has less
_STEPS = {1: "One step", 2: "Two steps", 3: "Three steps"}


class Rule(Table):
    """A ``[[priority]]``: by how many steps an incident is more (negative) or less urgent when every condition holds.

    Of a list, any value will do. ``named``: it names somebody watched; ``found``: a rule found something in it;
    ``firm``: something of weight; ``per_hour_from``: items within its busiest hour.
    """

    name: Name
    step: Annotated[int, Field(ge=-3, le=3)]
    claim_type: Annotated[tuple[ClaimType, ...], Several, AtLeastOne] | None = None
    lang: Annotated[tuple[Lang, ...], Several, AtLeastOne] | None = None
    label: Annotated[tuple[Label, ...], Several, AtLeastOne] | None = None
    role: Annotated[tuple[Role, ...], Several, AtLeastOne] | None = None
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
) -> tuple[int, tuple[str, ...]]:
    """The priority, 1 (most urgent) to 4, and a sentence for each rule that fired, the default first."""
    if facts.sample:
        return LEAST_URGENT, (SAMPLED[facts.sample],)
    if facts.claim_type is None:
        default, reasons = UNTYPED, [f"Starts at {priority_name(UNTYPED)}: no claim type is clear."]
    else:
        default = taxonomy[facts.claim_type].priority_in(phase)
        reasons = [f"Starts at {priority_name(default)}: {facts.claim_type}, phase {phase}."]
    steps = 0
    for rule in rules:
        said = list(_conditions(rule, facts, phase))
        if all(holds for holds, _ in said):
            steps += rule.step
            reasons.append(_sentence(rule, [words for _, words in said if words]))
    return max(MOST_URGENT, min(LEAST_URGENT, default + steps)), tuple(reasons)


def _sentence(rule: Rule, words: list[str]) -> str:
    more_or_less = "more" if rule.step < 0 else "less"
    why = f": {sentence_list(words)}" if words else ""
    return f"{_STEPS[abs(rule.step)]} {more_or_less} urgent ({rule.name}){why}."


def _conditions(rule: Rule, facts: IncidentFacts, phase: Phase) -> Iterator[tuple[bool, str]]:
    """Whether each condition of the rule holds, and what it says then; nothing where only an absence is asked for."""
    yield from _kinds(rule, facts, phase)
    firm = dict.fromkeys(str(finding["rule"]) for finding in facts.findings if finding["weight"] >= FIRM)
    found = dict.fromkeys(str(finding["rule"]) for finding in facts.findings)
    if rule.firm is not None:
        yield bool(firm) == rule.firm, f"a rule is firm about it ({sentence_list(firm)})" if rule.firm else ""
    if rule.found is not None:
        yield bool(found) == rule.found, f"a rule found something ({sentence_list(found)})" if rule.found else ""
    if rule.named is not None:
        named = f"names {sentence_list(facts.matches) or 'nobody on the watchlist'}"
        yield bool(facts.matches) == rule.named, named
    if rule.score_from is not None:
        yield facts.score >= rule.score_from, f"scores {facts.score:.2f}"
    if rule.score_below is not None:
        yield facts.score < rule.score_below, f"scores only {facts.score:.2f}"
    if rule.outlets_from is not None:
        yield len(facts.outlets) >= rule.outlets_from, f"spread over {len(facts.outlets)} outlets"
    if rule.items_from is not None:
        yield facts.items >= rule.items_from, f"published {facts.items} times"
    if rule.per_hour_from is not None:
        yield facts.per_hour >= rule.per_hour_from, f"published {facts.per_hour} times within an hour"


def _kinds(rule: Rule, facts: IncidentFacts, phase: Phase) -> Iterator[tuple[bool, str]]:
    """The conditions that ask for one of a list."""

    def one_of(wanted: tuple[Any, ...] | None, have: Iterable[Any], said: str) -> Iterator[tuple[bool, str]]:
        if wanted is not None:
            both = [value for value in have if value in wanted]
            yield bool(both), said.format(sentence_list(both))

    yield from one_of(rule.claim_type, [facts.claim_type], "is of the type {}")
    yield from one_of(rule.lang, [facts.lang], "is written in {}")
    yield from one_of(rule.label, [facts.label], "looks like {}")
    yield from one_of(rule.role, facts.roles, "comes from outlets that are {}")
    yield from one_of(rule.phase, [phase], "the phase is {}")
