"""From opinion and findings to the queue's score: the one place where they meet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from classifiers.examples import IMPERSONATION_TYPES
from classifiers.model import Opinion
from classifiers.rules import GOES_ROUND
from monitor.types import HARMLESS_STANCES, ClaimType, Finding, Label, Role, Stance

TRUSTED_ROLES = frozenset({Role.OFFICIAL, Role.FACTCHECK})
ORDINARY_MARGIN = 0.3
UNNAMED_MARGIN = 0.06  # halves the ordinary news that is flagged, at the same recall for what names a candidate


@dataclass(frozen=True, slots=True)
class Scored:
    """What the queue needs to know of a text."""

    score: float  # in [0, 1]
    flagged: bool
    label: Label  # genuine exactly when it is not flagged
    stance: Stance
    claim_type: ClaimType | None


def combine(
    opinion: Opinion,
    findings: Sequence[Finding],
    role: Role | None,
    threshold: float,
    *,
    named: bool = True,
    ordinary: bool = False,
    taken_back: bool = False,
) -> Scored:
    """Score and flag of a text.

    - The score begins as the model's probability ``p``. Each finding of weight ``w`` closes that share of what is
      missing to one: ``1 - (1 - p) * (1 - w1) * (1 - w2) …`` (a noisy or).
    - What comes from an official or fact-checking outlet, and what refutes, counts half and is never flagged: it holds
      the words of the falsehood, and stands on the other side. But rules find nothing in a text that takes something
      back or carries no claim: where one did, the text asserts, or reports that something goes round, whatever the
      model takes its stance for. What says outright that a rumour is none (``taken_back``) refutes, if none did.
    - A watched name does not make a text false, so it leaves the score alone. But a text that names nobody on the
      watchlist, is not about voting in one of its constituencies and contradicts no fact (``named`` is false) is less
      likely to be about this election: it is flagged only from ``threshold + UNNAMED_MARGIN``.
    - What reports only that a candidate voted, a turnout or the official hours (``ordinary``) shares all its words with
      falsehoods about the poll: it is flagged only from ``threshold + ORDINARY_MARGIN``.
    - Where a rule found something that has a claim type, that is the text's, for it can name its evidence.
    """
    missing = 1 - opinion.probability
    for finding in findings:
        missing *= 1 - finding.weight
    stance = Stance.REFUTES if taken_back and not findings else _stance(opinion, findings)
    harmless = role in TRUSTED_ROLES or stance in HARMLESS_STANCES
    score = (1 - missing) * (0.5 if harmless else 1)
    margin = 0.0 if named or findings else UNNAMED_MARGIN
    margin = ORDINARY_MARGIN if ordinary and not findings else margin
    flagged = score >= threshold + margin and not harmless
    if not flagged:
        idle = stance is Stance.UNRELATED and not findings
        return Scored(score, False, Label.GENUINE, stance, None if idle else _claim_type(opinion, findings))
    claim_type = _claim_type(opinion, findings)
    label = Label.IMPERSONATION if claim_type in IMPERSONATION_TYPES else Label.FALSE_INFORMATION
    return Scored(score, True, label, stance, claim_type)


def _stance(opinion: Opinion, findings: Sequence[Finding]) -> Stance:
    if not findings or opinion.stance not in {*HARMLESS_STANCES, Stance.UNRELATED}:
        return opinion.stance
    return Stance.REPORTS if all(finding.rule == GOES_ROUND for finding in findings) else Stance.ASSERTS


def _claim_type(opinion: Opinion, findings: Sequence[Finding]) -> ClaimType:
    telling = [(finding.weight, finding.claim_type) for finding in findings if finding.claim_type]
    return max(telling, key=itemgetter(0))[1] if telling else opinion.claim_type
