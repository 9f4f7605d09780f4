"""Whom items name, and what became of those that were flagged: what parity is counted from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    ScalarSelect,
    Subquery,
    Text,
    and_,
    cast,
    exists,
    func,
    select,
    type_coerce,
)

from monitor.store.schema import alerts, assessments, incident_items, items
from monitor.types import AlertState, Decision, Verdict

_flagged = assessments.alias("flagged")
_decided = alerts.alias("decided")


class Group(NamedTuple):
    """Items that name the same people and fared alike.

    Each was flagged by some model and all are of one incident, or none was flagged; then there is no more to say.
    """

    names: frozenset[str]  # ids of candidates and offices
    items: int = 1
    flagged: bool = True
    incident_id: int | None = None
    alert_id: int | None = None  # the last of the incident that was decided
    decision: Decision | None = None
    verdict: Verdict | None = None
    took: timedelta | None = None  # from the opening of that alert to its decision


def named(connection: Connection, start: datetime, end: datetime) -> Iterator[Group]:
    """The items first seen in [start, end) that name somebody.

    Whoever was found in any text of an item, by any list of names that was in force, is named by it.
    """
    group = _groups(_named(connection, start, end))
    last = (
        select(func.max(_decided.c.id))
        .where(_decided.c.incident_id == group.c.incident_id, _decided.c.decision.is_not(None))
        .scalar_subquery()
    )
    # Only the difference is wanted: to make each instant an aware one costs more than all else here.
    clocks = (type_coerce(at, DateTime(timezone=True)) for at in (alerts.c.opened_at, alerts.c.decided_at))
    query = (
        select(group, alerts.c.id, alerts.c.decision, alerts.c.verdict, *clocks)
        .select_from(group)
        .outerjoin(alerts, and_(alerts.c.id == last, alerts.c.state.in_((AlertState.DECIDED, AlertState.CLOSED))))
        .execution_options(yield_per=1000)
    )
    ids = cache(_ids)
    for names, flagged, incident_id, count, alert_id, decision, verdict, opened, ended in connection.execute(query):
        yield Group(
            names=ids(names),
            items=count,
            flagged=flagged,
            incident_id=incident_id,
            alert_id=alert_id,
            decision=Decision(decision) if decision else None,
            verdict=Verdict(verdict) if verdict else None,
            took=ended - opened if ended else None,
        )


def _ids(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


def _groups(items_named: Subquery) -> Subquery:
    """``names, flagged, incident_id, items``: the incident of those alone that were flagged, for others say nothing."""
    was_flagged = exists().where(_flagged.c.item_id == items_named.c.item_id, _flagged.c.flagged)
    each = select(items_named.c.item_id, items_named.c.names, was_flagged.label("flagged")).subquery("each")
    joined = each.outerjoin(incident_items, and_(each.c.flagged, incident_items.c.item_id == each.c.item_id))
    keys = (each.c.names, each.c.flagged, incident_items.c.incident_id)
    return select(*keys, func.count().label("items")).select_from(joined).group_by(*keys).subquery("groups")


def _named(connection: Connection, start: datetime, end: datetime) -> Subquery:
    """The items of the period that name somebody: ``item_id``, and as ``names`` every id that was found, with commas.

    One walk along the instants, whatever names nobody being left before anything is taken apart.
    """
    names = func.aggregate_strings(_found(connection), ",")
    return (
        select(assessments.c.item_id, names.label("names"))
        .select_from(items.join(assessments, assessments.c.item_id == items.c.id))
        .where(items.c.first_seen_at >= start, items.c.first_seen_at < end)
        .where(cast(assessments.c.matches, Text) != "[]")
        .group_by(assessments.c.item_id)
        .subquery("named")
    )


def _found(connection: Connection) -> ScalarSelect[Any]:
    """The ids in the matches of an assessment: the two databases have other words for it."""
    candidate: ColumnElement[str]
    if connection.dialect.name == "sqlite":
        element = func.json_each(assessments.c.matches).table_valued("value")
        candidate = func.json_extract(element.c.value, "$.candidate_id")
    else:
        element = func.json_array_elements(assessments.c.matches).table_valued("value")
        candidate = func.json_extract_path_text(element.c.value, "candidate_id")
    return select(func.aggregate_strings(candidate, ",")).select_from(element).correlate(assessments).scalar_subquery()
