"""What the model and the rules say of one item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from monitor.types.published import Lang
from monitor.types.said import Said
from monitor.types.watched import ClaimType, Match


class Label(StrEnum):
    """What a text looks like. A reason to look, never a finding."""

    GENUINE = "genuine"
    FALSE_INFORMATION = "false-information"
    IMPERSONATION = "impersonation"


class Stance(StrEnum):
    """How a text stands to the claim it carries."""

    ASSERTS = "asserts"
    REPORTS = "reports"
    REFUTES = "refutes"
    QUESTIONS = "questions"
    SATIRISES = "satirises"
    UNRELATED = "unrelated"


# What stands so to a claim is never flagged. Satire is none of them: the model seldom recognises it, and a person tells
# it at a glance.
HARMLESS_STANCES = frozenset({Stance.REFUTES})


class Style(StrEnum):
    """What is counted of how a text is written, whatever it says."""

    EXCLAMATION = "exclamation"  # marks, as are the next two
    QUOTATION = "quotation"
    HASHTAG = "hashtag"
    FIRST_PERSON = "first-person"  # I, we, my


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, and the line of the roster or facts file it rests on."""

    rule: str
    claim_type: ClaimType | None  # None where it says nothing of what is claimed
    said: Said  # one sentence
    evidence: str  # the words of the item
    rests_on: str  # e.g. "facts.toml: polling.closes = 22:30"; equal for copies that differ in their own figures
    weight: float  # 0..1, how strongly it speaks for a falsehood

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.said.text

    def as_row(self) -> dict[str, Any]:
        """As it is stored and printed: its fields, and the sentence in English as ``text``."""
        return {**asdict(self), "text": self.text}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was flagged or ranked: a code and its detail, and what they say as an English sentence.

    ``classifiers.sentences`` makes the sentence of the other two.
    """

    code: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessment:
    """The model's and the rules' opinion of one item. ``score`` is in [0, 1]."""

    label: Label
    score: float
    flagged: bool
    stance: Stance
    claim_type: ClaimType | None
    lang: Lang
    matches: tuple[Match, ...]
    findings: tuple[Finding, ...]
    reasons: tuple[Reason, ...]
    model: str
