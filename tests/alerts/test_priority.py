"""How urgent, and why: every rule speaks in a sentence."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.priority import prioritise
from monitor import taxonomy
from monitor.types import ClaimType, IncidentFacts, Label, Lang, Phase
from tests.alerts.rows import WITHDRAWN

FACTS = IncidentFacts(
    incident_id=1,
    title="Perry Man was seen abroad on nomination day",
    claim_type=ClaimType.CANDIDATE_FACT,
    lang=Lang.EN,
    score=0.65,
    label=Label.FALSE_INFORMATION,
    reasons=(),
    matches=("man-pui-lam",),
    findings=(),
    outlets=("Harbour Daily",),
    items=1,
    link=None,
)


def _priority(facts: IncidentFacts, phase: Phase = Phase.CAMPAIGN) -> int:
    return prioritise(facts, phase, taxonomy.load())[0]


def test_default_is_the_claim_types() -> None:
    """With nothing special, the taxonomy's default stands, and it is the only reason."""
    priority, reasons = prioritise(FACTS, Phase.CAMPAIGN, taxonomy.load())
    assert priority == 2
    assert reasons == ("Starts at P2: candidate-fact, phase campaign.",)


def test_phase_changes_the_default() -> None:
    """A closed station is most urgent on polling day only."""
    facts = replace(FACTS, claim_type=ClaimType.POLLING_DISRUPTION)
    assert _priority(facts) == 2
    assert _priority(facts, Phase.POLLING_DAY) == 1


@pytest.mark.parametrize(
    ("changed", "expected", "sentence"),
    [
        ({"score": 0.7}, 1, "names man-pui-lam and scores 0.70"),
        ({"findings": (asdict(WITHDRAWN),)}, 1, "a rule is firm about it (roster-status)"),
        ({"outlets": ("Harbour Daily", "翠灣時報", "Radio Lantern")}, 1, "spread over 3 outlets"),
        ({"score": 0.59}, 3, "scores only 0.59"),
        ({"matches": ()}, 3, "names nobody on the watchlist"),
        ({"matches": (), "score": 0.1}, 4, "scores only 0.10"),
        ({"findings": (asdict(WITHDRAWN),), "score": 0.1}, 1, "a rule is firm about it"),
        ({"findings": ({**asdict(WITHDRAWN), "rule": "allegation", "weight": 0.45},)}, 2, "Starts at P2"),
        ({"claim_type": None}, 3, "no claim type is clear"),
        ({"score": 0.69, "outlets": ("Harbour Daily", "翠灣時報")}, 2, "Starts at P2"),
    ],
)
def test_each_rule_moves_one_step_and_says_so(changed: dict[str, object], expected: int, sentence: str) -> None:
    """Each rule is worth one step; just short of it, it is silent."""
    priority, reasons = prioritise(replace(FACTS, **changed), Phase.CAMPAIGN, taxonomy.load())  # type: ignore[arg-type]  # a table of fields
    assert priority == expected
    assert any(sentence in reason for reason in reasons)


def test_every_claim_type_has_a_meaning() -> None:
    """The taxonomy speaks of every claim type, in three scripts, with a priority in bounds."""
    for claim_type, meaning in taxonomy.load().items():
        assert set(meaning.names) == set(Lang), claim_type
        assert all(1 <= meaning.priority_in(phase) <= 4 for phase in Phase), claim_type


@given(
    claim_type=st.none() | st.sampled_from(ClaimType),
    score=st.floats(0, 1),
    matched=st.booleans(),
    found=st.booleans(),
    outlets=st.integers(1, 9),
    phase=st.sampled_from(Phase),
)
def test_bounds_and_reasons_hold_for_any_facts(
    claim_type: ClaimType | None, score: float, matched: bool, found: bool, outlets: int, phase: Phase
) -> None:
    """The priority is always 1 to 4, and its steps add up to what the sentences say."""
    facts = replace(
        FACTS,
        claim_type=claim_type,
        score=score,
        matches=("man-pui-lam",) if matched else (),
        findings=(asdict(WITHDRAWN),) if found else (),
        outlets=tuple(f"Outlet {n}" for n in range(outlets)),
    )
    priority, reasons = prioritise(facts, phase, taxonomy.load())
    start = int(reasons[0].split("P")[1][0])
    more = sum("more urgent" in reason for reason in reasons)
    less = sum("less urgent" in reason for reason in reasons)
    assert priority == max(1, min(4, start - more + less))
