"""Score and flag from opinion, findings and role."""

from __future__ import annotations

import pytest

from classifiers.model import Opinion
from classifiers.scoring import UNNAMED_MARGIN, combine
from monitor.types import ClaimType, Finding, Label, Role, Said, Stance

SUSPICIOUS = Opinion(0.8, Label.FALSE_INFORMATION, Stance.ASSERTS, ClaimType.CANDIDATE_FACT)
HARMLESS = Opinion(0.2, Label.FALSE_INFORMATION, Stance.UNRELATED, ClaimType.CANDIDATE_FACT)


def finding(weight: float, claim_type: ClaimType = ClaimType.CANDIDATE_STATUS) -> Finding:
    """A finding of some weight."""
    return Finding(
        "roster-status", claim_type, Said("The roster says otherwise."), "退選", "watchlist.toml: candidate x", weight
    )


def test_the_score_of_a_text_alone_is_the_models_probability() -> None:
    """Nothing else is known, nothing is added."""
    scored = combine(SUSPICIOUS, (), None, 0.5)
    assert (scored.score, scored.flagged, scored.label) == (pytest.approx(0.8), True, Label.FALSE_INFORMATION)
    assert scored.claim_type is ClaimType.CANDIDATE_FACT


def test_findings_raise_the_score_and_name_the_claim_type() -> None:
    """A noisy or; the weightiest finding says what the claim is about, and with it what the text is."""
    scored = combine(HARMLESS, [finding(0.5), finding(0.9, ClaimType.IMPERSONATION_AUTHORITY)], Role.MEDIA, 0.5)
    assert scored.score == pytest.approx(1 - 0.8 * 0.5 * 0.1)
    assert (scored.flagged, scored.label) == (True, Label.IMPERSONATION)
    assert scored.claim_type is ClaimType.IMPERSONATION_AUTHORITY


@pytest.mark.parametrize("role", [Role.OFFICIAL, Role.FACTCHECK])
def test_official_and_factcheck_outlets_are_never_flagged(role: Role) -> None:
    """Whatever model and rules say."""
    scored = combine(SUSPICIOUS, [finding(1.0)], role, 0.0)
    assert (scored.flagged, scored.label) == (False, Label.GENUINE)
    assert scored.score == pytest.approx(0.5)


def test_refutations_are_never_flagged() -> None:
    """They share the falsehood's words and stand on the other side; they rank below it."""
    opinion = Opinion(0.99, Label.IMPERSONATION, Stance.REFUTES, ClaimType.SCAM_LURE)
    scored = combine(opinion, (), Role.COMMUNITY, 0.1)
    assert not scored.flagged
    assert scored.score < 0.5


def test_a_finding_overrules_a_stance_that_the_model_guessed() -> None:
    """Rules find nothing in a text that takes something back; the stance that is kept says so."""
    opinion = Opinion(0.2, Label.FALSE_INFORMATION, Stance.REFUTES, ClaimType.CANDIDATE_FACT)
    scored = combine(opinion, [finding(0.9)], Role.MEDIA, 0.5)
    assert (scored.flagged, scored.stance, scored.score) == (True, Stance.ASSERTS, pytest.approx(0.92))
    assert combine(opinion, (), Role.MEDIA, 0.1).stance is Stance.REFUTES


@pytest.mark.parametrize("stance", [stance for stance in Stance if stance is not Stance.REFUTES])
@pytest.mark.parametrize("role", [None, Role.MEDIA, Role.COMMUNITY])
def test_everything_else_is_flagged_from_the_threshold_on(stance: Stance, role: Role | None) -> None:
    """A score equal to the threshold is flagged; one just below is not."""
    opinion = Opinion(0.6, Label.FALSE_INFORMATION, stance, ClaimType.COUNT_FRAUD)
    score = combine(opinion, (), role, 0.5).score
    assert combine(opinion, (), role, score).flagged
    assert not combine(opinion, (), role, score + 1e-9).flagged


def test_ordinary_text_has_no_claim_type() -> None:
    """Nothing is claimed, so no type; a report of a claim keeps its type though nothing is flagged."""
    assert combine(HARMLESS, (), None, 0.5).claim_type is None
    report = Opinion(0.2, Label.FALSE_INFORMATION, Stance.REPORTS, ClaimType.COUNT_FRAUD)
    assert combine(report, (), None, 0.5).claim_type is ClaimType.COUNT_FRAUD


def test_a_text_that_names_nobody_watched_is_asked_for_more() -> None:
    """Its score is the same; it is flagged a margin later, unless a rule found something in it."""
    opinion = Opinion(0.6, Label.FALSE_INFORMATION, Stance.ASSERTS, ClaimType.COUNT_FRAUD)
    named, unnamed = (combine(opinion, (), Role.MEDIA, 0.58, named=named) for named in (True, False))
    assert named.score == unnamed.score
    assert (named.flagged, unnamed.flagged) == (True, False)
    assert combine(opinion, (), Role.MEDIA, 0.599 - UNNAMED_MARGIN, named=False).flagged
    assert combine(opinion, [finding(0.1)], Role.MEDIA, 0.58, named=False).flagged
