"""What people decide on: incidents and their alerts, opinions and verdicts, what stays quiet, what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.types.judged import Label, Stance
from monitor.types.published import Lang, Role, join_text
from monitor.types.said import Said
from monitor.types.watched import ClaimType


class AlertState(StrEnum):
    """Where an alert stands. Verdict, priority, level and suppression are columns of their own."""

    OPEN = "open"
    LEASED = "leased"
    SNOOZED = "snoozed"
    SECOND_REVIEW = "second_review"
    DECIDED = "decided"
    CLOSED = "closed"


LIVE = (AlertState.OPEN, AlertState.LEASED, AlertState.SNOOZED, AlertState.SECOND_REVIEW)  # not decided yet
WAITING = (AlertState.OPEN, AlertState.LEASED, AlertState.SECOND_REVIEW)  # for a person, now
UNTAKEN = (AlertState.OPEN, AlertState.SECOND_REVIEW)  # of these, what nobody holds


class Review(StrEnum):
    """Whose opinion an alert asks for: the first reviewer's, another's who does not know it, or the lead's."""

    FIRST = "first"
    SECOND = "second"
    LEAD = "lead"


class Suppression(StrEnum):
    """Why an alert stays quiet."""

    SILENCE = "silence"
    INHIBITED = "inhibited"
    DUPLICATE = "duplicate"


class Decision(StrEnum):
    """A reviewer's act."""

    CLARIFY = "clarify"
    REFER = "refer"
    WATCH = "watch"
    DISMISS = "dismiss"
    DUPLICATE = "duplicate"


class Verdict(StrEnum):
    """The finding about a claim, by a person."""

    FALSE = "false"
    MISLEADING = "misleading"
    PARTLY_FALSE = "partly_false"
    UNPROVEN = "unproven"
    TRUE = "true"
    SATIRE = "satire"
    OPINION = "opinion"
    OUT_OF_SCOPE = "out_of_scope"


FALSE_VERDICTS = frozenset({Verdict.FALSE, Verdict.MISLEADING, Verdict.PARTLY_FALSE})


@dataclass(frozen=True, slots=True)
class Held:
    """How an alert was held when its holder decided it: what undoing the decision restores."""

    lease_expires_at: datetime | None
    due_from: datetime | None
    level: int
    route: str
    take_steps: int = 0
    decide_steps: int = 0
    reminders: int = 0
    told_at: datetime | None = None
    expiries: int = 0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reviewer decided about an alert. It stands until it is withdrawn."""

    review: Review
    reviewer: str
    decision: Decision
    verdict: Verdict | None
    reason: str
    at: datetime
    held: Held | None = None  # None: given before this was kept


@dataclass(frozen=True, slots=True)
class Alert:
    """A request that a person look at one incident."""

    id: int
    incident_id: int
    state: AlertState
    priority: int  # 1..4
    level: int  # 0..2
    score: float
    opened_at: datetime
    due_at: datetime | None
    holder: str | None
    lease_expires_at: datetime | None
    route: str
    suppression: Suppression | None
    decided_at: datetime | None
    decision: Decision | None
    verdict: Verdict | None
    taken_at: datetime | None = None  # when it was first taken
    priority_reasons: tuple[Said, ...] = ()  # a sentence for each rule that set the priority
    take_steps: int = 0  # of the escalation behind it, of those that wait for somebody to take it
    decide_steps: int = 0  # and of those that wait for a decision
    reminders: int = 0  # of the last of these steps
    told_at: datetime | None = None  # when the last step or reminder was written
    expiries: int = 0  # leases of it that ran out
    review: Review = Review.FIRST
    due_from: datetime | None = None  # since when its clocks count; None: since it was opened
    snoozed_until: datetime | None = None
    opinions: tuple[Opinion, ...] = ()  # those that stand, in the order of their reviews
    inhibited_by: int | None = None  # the alert that ruled on the same claim
    sample: str | None = None  # uncertain, random: nobody flagged it; it has no due time


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What is known of one incident when its alert is prioritised, routed and shown.

    ``score``, ``label`` and ``reasons`` are those of its highest-scoring item; the other fields speak of all its items.
    """

    incident_id: int
    title: str
    claim_type: ClaimType | None
    lang: Lang
    score: float
    label: Label | None
    reasons: tuple[str, ...]  # sentences
    matches: tuple[str, ...]  # ids of watched candidates and offices
    findings: tuple[Mapping[str, Any], ...]  # as stored: the fields of Finding
    outlets: tuple[str, ...]
    items: int
    link: str | None  # of the first item
    sample: str | None = None  # uncertain, random: nobody flagged it, it was drawn to see what is missed
    roles: tuple[Role, ...] = ()  # of its outlets
    stances: tuple[Stance, ...] = ()  # of its assessed items
    per_hour: int = 0  # items first seen within its busiest hour
    tips: tuple[str, ...] = ()  # the channels by which items of it came in by hand


@dataclass(frozen=True, slots=True)
class Passage:
    """The way of one alert's incident, with what it is broken down by. An instant not reached or not known is None.

    ``published_at`` and ``role`` are those of the item that was seen first.
    """

    lang: str
    role: str
    claim_type: str | None
    published_at: datetime | None
    seen_at: datetime
    flagged_at: datetime | None
    alerted_at: datetime
    taken_at: datetime | None
    decided_at: datetime | None
    clarified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that somebody does not want to see until ``ends_at``, at whose instant it is over."""

    id: int
    matchers: Mapping[str, Sequence[str]]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    expired_by: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A claim that a reviewer clarified: what the incident said and named when it was decided."""

    alert_id: int
    incident_id: int
    verdict: Verdict
    decided_at: datetime
    names: frozenset[str]  # ids of the watched people and offices it names
    findings: frozenset[tuple[str, str]]  # rule, and the line it rests on
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A known claim in one wording; several wordings of one claim share its id."""

    id: str
    text: str
    headline: str = ""  # of the fact-check, where the text is the bare claim
    verdict: Verdict | None = None  # of our own reviewers
    url: str = ""  # of the page on which we clarified it

    @property
    def whole(self) -> str:
        """Text and headline as one text."""
        return join_text(self.text, self.headline)
