"""What is watched for: who stands, what may be said of them, and when in the election."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Phase(StrEnum):
    """Phase of the election calendar."""

    BEFORE = "before"
    NOMINATION = "nomination"
    CAMPAIGN = "campaign"
    POLLING_DAY = "polling-day"
    COUNT = "count"
    AFTER = "after"


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
