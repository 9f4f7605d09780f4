"""How urgent an incident is, by rule, with every rule that spoke named in a sentence. Pure."""

from __future__ import annotations

from monitor.taxonomy import Taxonomy
from monitor.text import sentence_list
from monitor.types import IncidentFacts, Phase

MOST_URGENT, LEAST_URGENT = 1, 4
UNTYPED = 3  # where an incident starts whose claim type nobody could tell
HIGH_SCORE = 0.7
LOW_SCORE = 0.6
WIDE_SPREAD = 3  # outlets
SAMPLED = {
    "uncertain": "A sample: nobody flagged it, but its score was among the highest of those; it shows what is missed.",
    "random": "A sample: nobody flagged it, it was drawn by lot from yesterday's items; it shows what is missed.",
}
FIRM = 0.6  # weight of a finding; an allegation or an odd link has less


def priority_name(priority: int) -> str:
    """``P1`` … ``P4``, as people and scripts read it."""
    return f"P{priority}"


def prioritise(facts: IncidentFacts, phase: Phase, taxonomy: Taxonomy) -> tuple[int, tuple[str, ...]]:
    """The priority, 1 (most urgent) to 4, and a sentence for each rule that fired, the default first."""
    if facts.sample:
        return LEAST_URGENT, (SAMPLED[facts.sample],)
    if facts.claim_type is None:
        default, reasons = UNTYPED, [f"Starts at {priority_name(UNTYPED)}: no claim type is clear."]
    else:
        default = taxonomy[facts.claim_type].priority_in(phase)
        reasons = [f"Starts at {priority_name(default)}: {facts.claim_type}, phase {phase}."]
    steps = 0
    for step, reason in _steps(facts):
        steps += step
        reasons.append(reason)
    return max(MOST_URGENT, min(LEAST_URGENT, default + steps)), tuple(reasons)


def _steps(facts: IncidentFacts) -> list[tuple[int, str]]:
    """Each rule that fires: -1 is one step more urgent, +1 one less."""
    steps = []
    firm = [finding for finding in facts.findings if finding["weight"] >= FIRM]
    if firm:
        rules = sentence_list(dict.fromkeys(str(finding["rule"]) for finding in firm))
        steps.append((-1, f"One step more urgent: a rule is firm about it ({rules})."))
    elif facts.matches and facts.score >= HIGH_SCORE:
        named = sentence_list(facts.matches)
        steps.append((-1, f"One step more urgent: names {named} and scores {facts.score:.2f}."))
    if len(facts.outlets) >= WIDE_SPREAD:
        steps.append((-1, f"One step more urgent: spread over {len(facts.outlets)} outlets."))
    if not facts.matches:
        steps.append((+1, "One step less urgent: names nobody on the watchlist."))
    if not facts.findings and facts.score < LOW_SCORE:
        steps.append((+1, f"One step less urgent: scores only {facts.score:.2f}."))
    return steps
