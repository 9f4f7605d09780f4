"""Whom items name, and what became of those that were flagged: what parity is counted from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Subquery, Text, and_, cast, func, select

from monitor.store.schema import alerts, assessments, incident_items, items
from monitor.types import AlertState, Decision, Verdict

_flagged = assessments.alias("flagged")
_decided = alerts.alias("decided")


class Flag(NamedTuple):
    """One item that was flagged, whom it names, and how the last alert of its incident was decided, if it was."""

    names: frozenset[str]  # ids of candidates and offices
    incident_id: int | None = None
    alert_id: int | None = None
    decision: Decision | None = None
    verdict: Verdict | None = None
    took: timedelta | None = None  # from the opening of that alert to its decision


def seen(connection: Connection, start: datetime, end: datetime) -> dict[frozenset[str], int]:
    """How many of the items first seen in [start, end) name whom: a number for each set of ids.

    Whoever was found in any text of an item, by any list of names that was in force, is named by it.
    """
    named = _named(connection, start, end)
    found: Counter[frozenset[str]] = Counter()
    for row in connection.execute(select(named.c.names, func.count()).group_by(named.c.names)):
        found[_ids(row[0])] += row[1]  # the same ids may stand in several orders, and more than once
    return dict(found)


def flagged(connection: Connection, start: datetime, end: datetime) -> Iterator[Flag]:
    """The items first seen in [start, end) that name somebody and that any model ever flagged."""
    named = _named(connection, start, end)
    last = (
        select(func.max(_decided.c.id))
        .where(_decided.c.incident_id == incident_items.c.incident_id, _decided.c.decision.is_not(None))
        .scalar_subquery()
    )
    query = (
        select(
            named.c.names,
            incident_items.c.incident_id,
            alerts.c.id,
            alerts.c.decision,
            alerts.c.verdict,
            alerts.c.opened_at,
            alerts.c.decided_at,
        )
        .select_from(named)
        .outerjoin(incident_items, incident_items.c.item_id == named.c.item_id)
        .outerjoin(alerts, and_(alerts.c.id == last, alerts.c.state.in_((AlertState.DECIDED, AlertState.CLOSED))))
        .where(select(_flagged.c.item_id).where(_flagged.c.item_id == named.c.item_id, _flagged.c.flagged).exists())
        .execution_options(yield_per=1000)
    )
    ids = cache(_ids)
    for names, incident_id, alert_id, decision, verdict, opened_at, decided_at in connection.execute(query):
        yield Flag(
            names=ids(names),
            incident_id=incident_id,
            alert_id=alert_id,
            decision=Decision(decision) if decision else None,
            verdict=Verdict(verdict) if verdict else None,
            took=decided_at - opened_at if decided_at else None,
        )


def _ids(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


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
