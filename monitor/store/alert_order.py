"""The queue as a list of numbers: which alerts a desk shows, the most urgent first. Their rows are read by the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from monitor.store import alerts, suppression
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import alerts as table
from monitor.store.schema import assessments, incident_items, incidents, items
from monitor.types import WAITING, AlertState, ClaimType, Review

Held = Literal["mine", "others", "nobody"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts; nothing in a field: any. ``held`` is seen by ``reviewer``."""

    states: tuple[AlertState, ...] = WAITING
    priorities: tuple[int, ...] = ()
    langs: tuple[str, ...] = ()
    claim_types: tuple[ClaimType, ...] = ()
    review: Review | None = None
    held: Held | None = None
    reviewer: str = ""
    suppressed: bool | None = False


def order(connection: Connection, wanted: Wanted, now: datetime, limit: int) -> Sequence[tuple[int, str]]:
    """Id and title of at most ``limit`` alerts, the most urgent first.

    A lease, snooze or suppression that is over at ``now`` counts as over, as in ``alert_list``.
    """
    query = (
        select(table.c.id, incidents.c.title)
        .join(incidents, incidents.c.id == table.c.incident_id)
        .where(*_conditions(wanted, now))
        .order_by(*alerts.URGENCY)
        .limit(limit)
    )
    return connection.execute(query).all()  # rows as they are: there may be very many


def count(connection: Connection, wanted: Wanted, now: datetime) -> int:
    """How many there are."""
    query = select(func.count()).select_from(table).join(incidents, incidents.c.id == table.c.incident_id)
    return int(connection.scalar(query.where(*_conditions(wanted, now))) or 0)


def _conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    untaken = case((table.c.review == Review.FIRST, AlertState.OPEN.value), else_=AlertState.SECOND_REVIEW.value)
    state = case((alerts.is_over(now), untaken), else_=table.c.state)
    # What the clock has ended stands under another state still; the first condition is for the index.
    written = {*wanted.states, AlertState.LEASED, AlertState.SNOOZED}
    found: list[ColumnElement[bool]] = [table.c.state.in_(sorted(written)), state.in_(wanted.states)]
    if wanted.priorities:
        found.append(table.c.priority.in_(wanted.priorities))
    if wanted.langs:
        found.append(incidents.c.lang.in_(wanted.langs))
    if wanted.claim_types:
        found.append(_claim_type().in_(wanted.claim_types))
    if wanted.review is not None:
        found.append(table.c.review == wanted.review)
    if wanted.held is not None:
        found.append(_held(wanted.held, wanted.reviewer, state))
    if wanted.suppressed is not None:
        hidden = suppression.hidden_at(now)
        found.append(hidden if wanted.suppressed else ~hidden)
    return found


def _held(held: Held, reviewer: str, state: ColumnElement[str]) -> ColumnElement[bool]:
    leased = state == AlertState.LEASED
    if held == "nobody":
        return ~leased
    return and_(leased, table.c.holder == reviewer if held == "mine" else table.c.holder != reviewer)


def _claim_type() -> ColumnElement[str]:
    """That of the incident, else of its item with the highest score, as ``incident_facts`` tells it."""
    seen = (func.coalesce(items.c.published_at, items.c.first_seen_at), items.c.id)
    of_lead = (
        select(assessments.c.claim_type)
        .join(incident_items, incident_items.c.item_id == assessments.c.item_id)
        .join(items, items.c.id == assessments.c.item_id)
        .where(incident_items.c.incident_id == incidents.c.id, IN_FORCE)
        .order_by(assessments.c.score.desc(), *seen)
        .limit(1)
        .correlate(incidents)
        .scalar_subquery()
    )
    return func.coalesce(incidents.c.claim_type, of_lead)
