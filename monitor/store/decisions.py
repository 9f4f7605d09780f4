"""What reviewers decided, and why: one row for each opinion. A row is never removed, only withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from monitor.store.schema import alerts, decisions, incidents
from monitor.types import AlertState, Decision, Held, Opinion, Review, Verdict

UNDO = "alert.undo"  # who takes a decision back at once has given no opinion

# A decision in force: not withdrawn, and not waiting for another person's opinion. For queries that join alerts.
STANDS = and_(decisions.c.withdrawn_at.is_(None), alerts.c.state.in_((AlertState.DECIDED, AlertState.CLOSED)))


def add(connection: Connection, alert_id: int, opinion: Opinion) -> None:
    """Write one decision down."""
    row = {**asdict(opinion), "alert_id": alert_id, "held": _packed(opinion.held)}
    connection.execute(insert(decisions).values(row))


def withdraw(connection: Connection, alert_id: int, reviews: Collection[Review], at: datetime, by: str) -> None:
    """The opinions of these reviews stand no more; ``by`` is the act that took them back, as the audit calls it."""
    standing = (decisions.c.alert_id == alert_id, decisions.c.withdrawn_at.is_(None), decisions.c.review.in_(reviews))
    connection.execute(update(decisions).where(*standing).values(withdrawn_at=at, withdrawn_by=by))


def standing(connection: Connection, alert_ids: Sequence[int]) -> dict[int, tuple[Opinion, ...]]:
    """The opinions on each of these alerts that are not withdrawn, oldest first; alerts without any are left out."""
    query = select(decisions).where(decisions.c.alert_id.in_(alert_ids), decisions.c.withdrawn_at.is_(None))
    found: dict[int, tuple[Opinion, ...]] = {}
    for row in connection.execute(query.order_by(decisions.c.id)):
        found[row.alert_id] = (*found.get(row.alert_id, ()), _opinion(row))
    return found


def of_alert(connection: Connection, alert_id: int) -> list[dict[str, Any]]:
    """Every decision on one alert, oldest first, withdrawn ones too."""
    shown = [column for column in decisions.c if column.name != "held"]
    query = select(*shown).where(decisions.c.alert_id == alert_id).order_by(decisions.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def between(connection: Connection, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Every decision of [start, end) in the order of giving, withdrawn ones too, one at a time: ``id, alert_id,
    reviewer, decision, verdict, reason, at, review, withdrawn_at, withdrawn_by, incident_id, title, claim_type``.
    """
    own = [column for column in decisions.c if column.name != "held"]
    query = (
        select(*own, alerts.c.incident_id, incidents.c.title, incidents.c.claim_type)
        .join_from(decisions, alerts, alerts.c.id == decisions.c.alert_id)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(decisions.c.at >= start, decisions.c.at < end)
        .order_by(decisions.c.id)
        .execution_options(yield_per=1000)
    )
    for row in connection.execute(query).mappings():
        yield dict(row)


def awaited(connection: Connection) -> list[int]:
    """The alerts that wait for a second opinion, which is to be given without knowledge of the first."""
    return list(
        connection.scalars(select(alerts.c.id).where(alerts.c.review == Review.SECOND, alerts.c.decision.is_(None)))
    )


def pairs(connection: Connection, since: datetime | None = None) -> list[dict[str, Any]]:
    """First and second opinions on the same alert, by the time of the second: ``claim_type, lang, first, second``.

    An opinion is a pair of decision and verdict. Both count though the lead decided otherwise, the alert was sent back
    or reopened, for both were given; an undone one does not.
    """
    given = or_(decisions.c.withdrawn_by.is_(None), decisions.c.withdrawn_by != UNDO)
    second, earlier, first = decisions, decisions.alias("earlier"), decisions.alias("first")
    of_same_round = (
        select(func.max(earlier.c.id))
        .where(earlier.c.alert_id == second.c.alert_id, earlier.c.id < second.c.id, earlier.c.review == Review.FIRST)
        .where(or_(earlier.c.withdrawn_by.is_(None), earlier.c.withdrawn_by != UNDO))
        .scalar_subquery()
    )
    query = (
        select(
            incidents.c.claim_type,
            incidents.c.lang,
            *(first.c[key].label(f"first_{key}") for key in ("decision", "verdict")),
            *(second.c[key].label(f"second_{key}") for key in ("decision", "verdict")),
        )
        .select_from(second)
        .join(first, first.c.id == of_same_round)
        .join(alerts, alerts.c.id == second.c.alert_id)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(second.c.review == Review.SECOND, given)
        .order_by(second.c.id)
    )
    if since is not None:
        query = query.where(second.c.at >= since)
    return [
        {
            "claim_type": row.claim_type,
            "lang": row.lang,
            "first": (row.first_decision, row.first_verdict),
            "second": (row.second_decision, row.second_verdict),
        }
        for row in connection.execute(query)
    ]


def _opinion(row: Row[Any]) -> Opinion:
    return Opinion(
        review=Review(row.review),
        reviewer=row.reviewer,
        decision=Decision(row.decision),
        verdict=Verdict(row.verdict) if row.verdict else None,
        reason=row.reason,
        at=row.at,
        held=_unpacked(row.held),
    )


def _packed(held: Held | None) -> dict[str, Any] | None:
    """As JSON: instants as text."""
    if held is None:
        return None
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(held).items()}


def _unpacked(stored: dict[str, Any] | None) -> Held | None:
    if stored is None:
        return None
    names = ("lease_expires_at", "due_from", "told_at")
    instants = {name: stored[name] and datetime.fromisoformat(stored[name]) for name in names}
    return Held(**{**stored, **instants})
