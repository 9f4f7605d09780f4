"""Whom items name, and what became of those that were flagged: what parity is counted from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, func, select, true

from monitor.store.schema import alerts, assessments, incident_items, items
from monitor.types import AlertState, Decision, Verdict

_later = alerts.alias("later")


@dataclass(frozen=True, slots=True)
class Flag:
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
    element, candidate = _elements(connection)
    pairs = (
        select(assessments.c.item_id, candidate.label("candidate"))
        .select_from(assessments.join(items, items.c.id == assessments.c.item_id).join(element, true()))
        .where(*_within(start, end), cast(assessments.c.matches, Text) != "[]")
        .distinct()
        .subquery()
    )
    together = func.aggregate_strings(pairs.c.candidate, ",").label("together")
    named = select(together).group_by(pairs.c.item_id).subquery()
    found: Counter[frozenset[str]] = Counter()
    for row in connection.execute(select(named.c.together, func.count()).group_by(named.c.together)):
        found[frozenset(row[0].split(","))] += row[1]  # the order in a text is the database's own
    return dict(found)


def flagged(connection: Connection, start: datetime, end: datetime) -> Iterator[Flag]:
    """The items first seen in [start, end) that any model ever flagged, in the order of their ids."""
    decided = and_(
        alerts.c.incident_id == incident_items.c.incident_id,
        alerts.c.state.in_((AlertState.DECIDED, AlertState.CLOSED)),
        alerts.c.decision.is_not(None),
        ~select(_later.c.id)
        .where(_later.c.incident_id == alerts.c.incident_id, _later.c.id > alerts.c.id, _later.c.decision.is_not(None))
        .exists(),
    )
    query = (
        select(
            items.c.id,
            assessments.c.matches,
            incident_items.c.incident_id,
            alerts.c.id.label("alert_id"),
            alerts.c.decision,
            alerts.c.verdict,
            alerts.c.opened_at,
            alerts.c.decided_at,
        )
        .select_from(items.join(assessments, assessments.c.item_id == items.c.id))
        .outerjoin(incident_items, incident_items.c.item_id == items.c.id)
        .outerjoin(alerts, decided)
        .where(*_within(start, end), items.c.id.in_(select(assessments.c.item_id).where(assessments.c.flagged)))
        .order_by(items.c.id)
        .execution_options(yield_per=1000)
    )
    for _, rows in groupby(connection.execute(query), key=lambda row: int(row.id)):
        yield _flag(list(rows))


def _flag(rows: list[Any]) -> Flag:
    last = rows[0]
    return Flag(
        names=frozenset(match["candidate_id"] for row in rows for match in row.matches),
        incident_id=last.incident_id,
        alert_id=last.alert_id,
        decision=Decision(last.decision) if last.decision else None,
        verdict=Verdict(last.verdict) if last.verdict else None,
        took=last.decided_at - last.opened_at if last.decided_at else None,
    )


def _within(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return items.c.first_seen_at >= start, items.c.first_seen_at < end


def _elements(connection: Connection) -> tuple[Any, ColumnElement[str]]:
    """The matches of an assessment as rows, and the id of each: the two databases have other words for it."""
    if connection.dialect.name == "sqlite":
        element = func.json_each(assessments.c.matches).table_valued("value")
        return element, func.json_extract(element.c.value, "$.candidate_id")
    element = func.json_array_elements(assessments.c.matches).table_valued("value")
    return element, func.json_extract_path_text(element.c.value, "candidate_id")
