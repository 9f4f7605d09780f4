"""How urgent, and why: every rule speaks in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.priority import Rule, prioritise
from monitor import seeds, taxonomy
from monitor.types import ClaimType, IncidentFacts, Label, Lang, Phase, Role, Stance
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
RULES = tuple(Rule.model_validate(rule) for rule in seeds.toml("routes.toml")["priority"])


def _priority(facts: IncidentFacts, phase: Phase = Phase.CAMPAIGN) -> int:
    return prioritise(facts, phase, taxonomy.load(), RULES)[0]


def test_default_is_the_claim_types() -> None:
    """With nothing special, the taxonomy's default stands, and it is the only reason."""
    priority, reasons = prioritise(FACTS, Phase.CAMPAIGN, taxonomy.load(), RULES)
    assert priority == 2
    assert [reason.text for reason in reasons] == ["Starts at P2: candidate-fact, phase campaign."]


def test_phase_changes_the_default() -> None:
    """A closed station is most urgent on polling day only."""
    facts = replace(FACTS, claim_type=ClaimType.POLLING_DISRUPTION)
    assert _priority(facts) == 2
    assert _priority(facts, Phase.POLLING_DAY) == 1


@pytest.mark.parametrize(
    ("changed", "expected", "sentence"),
    [
        ({"score": 0.7}, 1, "names man-pui-lam and scores 0.70"),
        ({"findings": (WITHDRAWN.as_row(),)}, 1, "a rule is firm about it (roster-status)"),
        ({"outlets": ("Harbour Daily", "翠灣時報", "Radio Lantern")}, 1, "spread over 3 outlets"),
        ({"score": 0.59}, 3, "scores only 0.59"),
        ({"stances": (Stance.REPORTS,)}, 3, "every item of it reports"),
        ({"matches": ()}, 3, "names nobody on the watchlist"),
        ({"matches": (), "score": 0.1}, 4, "scores only 0.10"),
        ({"findings": (WITHDRAWN.as_row(),), "score": 0.1}, 1, "a rule is firm about it"),
        ({"findings": ({**WITHDRAWN.as_row(), "rule": "allegation", "weight": 0.45},)}, 2, "Starts at P2"),
        ({"claim_type": None}, 3, "no claim type is clear"),
        ({"score": 0.69, "outlets": ("Harbour Daily", "翠灣時報")}, 2, "Starts at P2"),
    ],
)
def test_each_rule_moves_one_step_and_says_so(changed: dict[str, object], expected: int, sentence: str) -> None:
    """Each rule is worth one step; just short of it, it is silent."""
    priority, reasons = prioritise(replace(FACTS, **changed), Phase.CAMPAIGN, taxonomy.load(), RULES)  # type: ignore[arg-type]  # a table of fields
    assert priority == expected
    assert any(sentence in reason.text for reason in reasons)


@pytest.mark.parametrize(
    ("rule", "changed", "sentence"),
    [
        (
            {"step": -2, "claim_type": "candidate-fact"},
            {},
            "Two steps more urgent (mine): is of the type candidate-fact.",
        ),
        ({"step": 1, "claim_type": ["scam-lure"]}, {}, None),
        ({"step": -1, "role": ["official", "media"]}, {}, "comes from outlets that are media."),
        ({"step": -1, "role": "official"}, {}, None),
        (
            {"step": -1, "phase": "campaign", "items_from": 3},
            {"items": 3},
            "the phase is campaign and published 3 times.",
        ),
        ({"step": -1, "per_hour_from": 5}, {"per_hour": 6}, "published 6 times within an hour."),
        ({"step": -1, "per_hour_from": 7}, {"per_hour": 6}, None),
        ({"step": 1, "lang": "zh-Hant"}, {"lang": Lang.HANT}, "One step less urgent (mine): is written in zh-Hant."),
        ({"step": -1, "label": "impersonation"}, {}, None),
        ({"step": -1, "found": True}, {"findings": (WITHDRAWN.as_row(),)}, "a rule found something (roster-status)."),
        ({"step": 1, "firm": False}, {}, "One step less urgent (mine)."),
        ({"step": -1, "claim_type": "scam-lure"}, {"claim_type": None}, None),
    ],
)
def test_a_rule_of_ones_own(rule: dict[str, object], changed: dict[str, object], sentence: str | None) -> None:
    """Every condition can be asked for; a rule that does not fire is silent and moves nothing."""
    own = Rule.model_validate({"name": "mine", **rule})
    facts = replace(FACTS, roles=(Role.MEDIA, Role.COMMUNITY), **changed)  # type: ignore[arg-type]  # a table of fields
    start, _ = prioritise(facts, Phase.CAMPAIGN, taxonomy.load(), ())
    priority, reasons = prioritise(facts, Phase.CAMPAIGN, taxonomy.load(), (own,))
    assert priority == max(1, min(4, start + (own.step if sentence else 0)))
    assert len(reasons) == 1 + bool(sentence)
    assert sentence is None or reasons[-1].text.endswith(sentence)


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
        findings=(WITHDRAWN.as_row(),) if found else (),
        outlets=tuple(f"Outlet {n}" for n in range(outlets)),
    )
    priority, reasons = prioritise(facts, phase, taxonomy.load(), RULES)
    start = int(reasons[0].text.split("P")[1][0])
    more = sum("more urgent" in reason.text for reason in reasons)
    less = sum("less urgent" in reason.text for reason in reasons)
    assert priority == max(1, min(4, start - more + less))


def test_one_item_that_asserts_takes_the_report_out_of_an_incident() -> None:
    """Only where every item reports is it less urgent; an incident whose items nobody assessed is not."""
    for stances in ((Stance.REPORTS, Stance.ASSERTS), ()):
        assert _priority(replace(FACTS, stances=stances)) == _priority(FACTS) == 2
