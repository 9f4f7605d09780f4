"""The codes of the queue in words of the language in use, and the small signs of a row. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.transitions import DismissReason
from alerts.triage.words import _, used
from monitor import taxonomy
from monitor.types import LIVE, AlertState, ClaimType, Decision, Lang, Review, Suppression, Verdict

SOON_S = 600  # from so many seconds before it is due an alert is marked
LANGUAGE_SIGNS = {Lang.EN: "en", Lang.HANT: "繁", Lang.HANS: "简"}


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's extractors know
    """Marks a sentence that is translated where it is shown."""
    return message


VERDICTS: Mapping[Verdict, str] = {
    Verdict.FALSE: N_("false"),
    Verdict.MISLEADING: N_("misleading"),
    Verdict.PARTLY_FALSE: N_("partly false"),
    Verdict.UNPROVEN: N_("unproven"),
    Verdict.TRUE: N_("true"),
    Verdict.SATIRE: N_("satire"),
    Verdict.OPINION: N_("opinion"),
    Verdict.OUT_OF_SCOPE: N_("out of scope"),
}

DECISIONS: Mapping[Decision, str] = {
    Decision.CLARIFY: N_("clarify"),
    Decision.REFER: N_("refer"),
    Decision.WATCH: N_("watch"),
    Decision.DISMISS: N_("dismiss"),
    Decision.DUPLICATE: N_("duplicate"),
}

DISMISSALS: Mapping[DismissReason, str] = {
    DismissReason.NOT_FALSE: N_("not false: the text is right, or reports rightly"),
    DismissReason.OPINION: N_("opinion: a view, not a fact"),
    DismissReason.SATIRE: N_("satire: nobody is to believe it"),
    DismissReason.DUPLICATE_STORY: N_("duplicate story: the same claim is in the queue"),
    DismissReason.NOT_ELECTION: N_("not about the election"),
    DismissReason.OTHER: N_("other: say which, below"),
}

STATES: Mapping[AlertState, str] = {
    AlertState.OPEN: N_("open"),
    AlertState.LEASED: N_("held"),
    AlertState.SNOOZED: N_("snoozed"),
    AlertState.SECOND_REVIEW: N_("second opinion"),
    AlertState.DECIDED: N_("decided"),
    AlertState.CLOSED: N_("closed"),
}

SUPPRESSIONS: Mapping[Suppression, str] = {
    Suppression.SILENCE: N_("hidden by a silence"),
    Suppression.INHIBITED: N_("answered by a clarification"),
    Suppression.DUPLICATE: N_("a duplicate"),
}

ROLES: Mapping[str, str] = {
    "official": N_("official"),
    "factcheck": N_("fact-check"),
    "media": N_("media"),
    "community": N_("community"),
}


def claim_type(code: str | None) -> str:
    """Its name in the taxonomy."""
    if code is None:
        return _("unclear")
    return taxonomy.load()[ClaimType(code)].names[used()]


def decision(code: str) -> str:
    """A reviewer's act."""
    return _(DECISIONS[Decision(code)])


def verdict(code: str) -> str:
    """The finding about a claim."""
    return _(VERDICTS[Verdict(code)])


def state(code: str) -> str:
    """Where an alert stands."""
    return _(STATES[AlertState(code)])


def suppression(code: str) -> str:
    """Why an alert stays quiet."""
    return _(SUPPRESSIONS[Suppression(code)])


def role(code: str) -> str:
    """Of an outlet or of a known claim; one without a word of ours stands as it is."""
    return _(ROLES[code]) if code in ROLES else code


def left(row: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """Time until an alert is due, and how it is painted: what is overdue has a minus and an exclamation mark."""
    if row["due_at"] is None or row["state"] not in LIVE:
        return "-", "dim"
    seconds = (row["due_at"] - now).total_seconds()
    hours, minutes = divmod(int(abs(seconds) // 60), 60)
    span = f"{hours}h{minutes:02}" if hours < 100 else f"{hours // 24}d"
    span = span if hours else f"{minutes}m"
    if seconds < 0:
        return f"-{span}!", "late"
    return f"+{span}", "soon" if seconds < SOON_S else "text"


def holder(row: Mapping[str, Any], now: datetime) -> str | None:
    """Who holds an alert at ``now``; a lease that is over holds nothing."""
    ends = row["lease_expires_at"]
    return row["holder"] if ends is not None and ends > now else None


def who(row: Mapping[str, Any], reviewer: str, now: datetime, zone: ZoneInfo) -> tuple[str, str]:  # noqa: PLR0911 - one case for each state
    """Who has an alert, or what it waits for, and how that is painted."""
    held_by = holder(row, now)
    if held_by == reviewer:
        return _("you"), "mine"
    if held_by is not None:
        return held_by, "held"
    if row["decision"] is not None:
        return decision(row["decision"]), "dim"
    if row["suppression"] is not None:
        return _("hidden"), "dim"
    if row["state"] == AlertState.SNOOZED:
        return _("zz {time}").format(time=row["snoozed_until"].astimezone(zone).strftime("%H:%M")), "dim"
    if row["review"] != Review.FIRST:
        return (_("2nd opinion") if row["review"] == Review.SECOND else _("for the lead")), "soon"
    return "-", "dim"


def at(moment: datetime | None, zone: ZoneInfo) -> str:
    """An instant for people."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else "-"
