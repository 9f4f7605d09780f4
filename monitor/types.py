"""The nouns that the rooms exchange: frozen, without behaviour beyond reading themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit


class Role(StrEnum):
    """What kind of outlet a feed belongs to."""

    OFFICIAL = "official"
    FACTCHECK = "factcheck"
    MEDIA = "media"
    COMMUNITY = "community"


class Lang(StrEnum):
    """Language and script of a text (BCP 47)."""

    EN = "en"
    HANT = "zh-Hant"
    HANS = "zh-Hans"


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


class ClaimType(StrEnum):
    """What a claim is about. Meanings and default priorities stand in ``seeds/taxonomy.toml``."""

    VOTING_PROCEDURE = "voting-procedure"
    POLLING_DISRUPTION = "polling-disruption"
    VOTER_ELIGIBILITY = "voter-eligibility"
    BALLOT_SECRECY_THREAT = "ballot-secrecy-threat"
    VOTE_BUYING_RUMOUR = "vote-buying-rumour"
    COUNT_FRAUD = "count-fraud"
    RESULT_DELEGITIMISATION = "result-delegitimisation"
    CANDIDATE_STATUS = "candidate-status"
    CANDIDATE_IDENTIFIER = "candidate-identifier"
    CANDIDATE_FACT = "candidate-fact"
    CANDIDATE_QUOTE = "candidate-quote"
    FALSE_ENDORSEMENT = "false-endorsement"
    IMPERSONATION_CANDIDATE = "impersonation-candidate"
    IMPERSONATION_AUTHORITY = "impersonation-authority"
    IMPERSONATION_MEDIA = "impersonation-media"
    SCAM_LURE = "scam-lure"
    INTIMATE_IMAGE_EXTORTION = "intimate-image-extortion"
    OPINION_OR_SATIRE = "opinion-or-satire"


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


class Phase(StrEnum):
    """Phase of the election calendar."""

    BEFORE = "before"
    NOMINATION = "nomination"
    CAMPAIGN = "campaign"
    POLLING_DAY = "polling-day"
    COUNT = "count"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a feed brought at which time of the local day. Older days weigh less; see ``monitor.rhythm``."""

    entries: tuple[float, ...]  # new ones, by half hour of the day
    hours: tuple[float, ...]  # in which it was watched, by half hour of the day
    until: datetime  # when it last brought something; up to here its hours are counted
    listed: int = 0  # entries of the document then
    update_s: int | None = None  # how often it says it changes
    lags: tuple[int, ...] = ()  # of its newest date behind our clock, in seconds, at the last polls


@dataclass(frozen=True, slots=True)
class Feed:
    """A URL we poll, with what is known of its health. Instants are aware, UTC."""

    id: int
    url: str
    outlet: str
    role: Role
    lang: Lang | None
    enabled: bool
    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    next_check_at: datetime | None = None
    interval_s: int | None = None  # set by the operator; None: by its rhythm
    failures: int = 0
    strikes: float = 0.0  # failures in a row by their weight, see monitor.failures
    error_kind: str | None = None
    error_detail: str | None = None
    warning: str | None = None
    folder: str | None = None
    moved_to: str | None = None
    moved_since: datetime | None = None
    answer_s: float | None = None  # how long its last good answer took
    rhythm: Rhythm | None = None
    hub: str | None = None  # that its last answer named, see monitor.websub; empty: none; None: nobody looked
    topic: str | None = None  # the address by which that hub knows it
    pushed_at: datetime | None = None  # when the hub last announced news; None without a live subscription

    @property
    def host(self) -> str:
        """The host of its address, with the port if it names one."""
        return urlsplit(self.url).netloc


class Mode(StrEnum):
    """What we want of a hub."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we asked of a hub for one feed, and until when it holds."""

    token: str  # the last part of its callback: who knows it may speak for the hub, if they know the secret too
    feed_id: int
    hub: str
    topic: str
    callback: str
    secret: str = field(repr=False)
    mode: Mode
    next_ask_at: datetime
    asks: int = 0  # requests since the hub last confirmed
    error: str | None = None  # of the last request
    lease_ends_at: datetime | None = None  # None: not confirmed


@dataclass(frozen=True, slots=True)
class Entry:
    """What the parser returned for one entry of a feed: text only, no markup, control characters removed."""

    key: str  # identity within its feed, see parse.entry_key
    guid: str | None
    link: str | None
    title: str
    summary: str
    published_raw: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed feed.

    ``marks`` stand for all its entries in order (those that say nothing are none), empty where they cannot be told
    apart before they are parsed. Those of ``unread`` were known already: their entries are not among ``entries`` (see
    parse.complete).
    """

    title: str
    version: str  # feedparser's word, e.g. "rss20"; or json1, json1.1
    entries: tuple[Entry, ...]
    warning: str | None = None  # set when the document was malformed but readable
    update_s: int | None = None  # how often it says it changes (RSS ttl, sy:updatePeriod), in seconds
    marks: tuple[bytes, ...] = ()
    unread: frozenset[bytes] = frozenset()
    links: tuple[tuple[str, str], ...] = ()  # (rel, href) of its own links that concern WebSub: hub, self

    @property
    def size(self) -> int:
        """How many entries it has, read or not."""
        return len(self.marks) if self.unread else len(self.entries)


@dataclass(frozen=True, slots=True)
class Item:
    """A stored, normalised entry. ``revision`` counts from 0; earlier texts are in the revisions table."""

    id: int
    feed_id: int
    key: str
    guid: str | None
    link: str | None
    title: str
    summary: str
    lang: Lang
    published_at: datetime | None
    first_seen_at: datetime
    edited_at: datetime | None
    revision: int
    outlet: str
    role: Role

    @property
    def text(self) -> str:
        """Title and summary as one text."""
        return join_text(self.title, self.summary)


def join_text(title: str, summary: str) -> str:
    """Title and summary as one text; a summary that only repeats the title is left out."""
    if not summary or summary == title:
        return title
    return f"{title}\n{summary}" if title else summary


@dataclass(frozen=True, slots=True)
class Candidate:
    """One watched person of the roster, or an office. ``aliases`` includes every name form, in both name orders.

    ``uncertain`` are names that others bear too, or that are common words: they count only in a text that holds
    another name of the candidate or a word of ``context``. Inside a phrase of ``not_in`` no name counts.
    """

    id: str
    names: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    number: int | None = None
    constituency: tuple[str, ...] = ()
    party: tuple[str, ...] = ()
    status: str = "validated"
    status_since: date | None = None
    uncertain: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    source: str = ""  # "watchlist.toml: candidate 3": the line a finding rests on


@dataclass(frozen=True, slots=True)
class Match:
    """A watchlist hit. ``start`` and ``end`` count characters of the original text."""

    candidate_id: str
    alias: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, and the line of the roster or facts file it rests on."""

    rule: str
    claim_type: ClaimType
    text: str  # one English sentence
    evidence: str  # the words of the item
    rests_on: str  # e.g. "facts.toml: polling.closes = 22:30"; equal for copies that differ in their own figures
    weight: float  # 0..1, how strongly it speaks for a falsehood


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was flagged or ranked: a code that screens can translate, and an English sentence."""

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
    priority_reasons: tuple[str, ...] = ()  # a sentence for each rule that set the priority
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
    per_hour: int = 0  # items first seen within its busiest hour


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

    @property
    def whole(self) -> str:
        """Text and headline as one text."""
        return join_text(self.text, self.headline)


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one run of a stage did: its name and counts, ready for JSON."""

    stage: str
    counts: Mapping[str, float | int | str | bool | None]
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary; ``problems`` only when there are some."""
        return {**self.counts, **({"problems": list(self.problems)} if self.problems else {})}
