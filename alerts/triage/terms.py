"""The codes of the queue in words of the language in use, and the small signs of a row. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import PollwatchError, RefusedError
from monitor.language import _, render, term
from monitor.types import LIVE, AlertState, Lang, Review

SOON_S = 600  # from so many seconds before it is due an alert is marked
LANGUAGE_SIGNS = {Lang.EN: "en", Lang.HANT: "繁", Lang.HANS: "简"}


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's extractors know
    """Marks a sentence that is translated where it is shown."""
    return message


def claim_type(code: str | None) -> str:
    """Its name in the taxonomy."""
    return term("claim_type", code) if code else _("unclear")


def known(code: str) -> str:
    """What a known claim is: what an outlet of some role said, or one of ours."""
    ours = {"ruling": _("our ruling"), "incident": _("another incident")}
    return ours.get(code) or term("role", code)


def told(error: PollwatchError, zone: ZoneInfo | None = None) -> str:
    """What was refused or went wrong, in the language in use where it is kept as a sentence."""
    return render(error.said, zone) if isinstance(error, RefusedError) else str(error)


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
        return term("decision", row["decision"]), "dim"
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
