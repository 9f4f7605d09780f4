"""Clarifications. No act changes one without an audit entry beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.store import audit, versions
from monitor.store.schema import alerts, incidents
from monitor.store.schema import clarifications as table
from monitor.store.schema import versions as version_table
from monitor.types import Clarification, ClarificationState, Decision, Verdict

# Whoever changes a clarification must have seen these as they are.
_COMPARED = ("state", "revision", "approved_by", "withdrawing")
_CHANGED = (*_COMPARED, "approved_at")


def subject(clarification_id: int) -> str:
    """How audit entries name a clarification."""
    return f"clarification:{clarification_id}"


def get(connection: Connection, clarification_id: int) -> Clarification:
    """One clarification. Raises NotFoundError."""
    row = connection.execute(select(table).where(table.c.id == clarification_id)).first()
    if row is None:
        raise NotFoundError("clarification", clarification_id, "`pollwatch clarifications list` shows every one")
    return _whole(connection, [row])[0]


def of_alert(connection: Connection, alert_id: int) -> Clarification | None:
    """The clarification of an alert that is not withdrawn."""
    live = (table.c.alert_id == alert_id, table.c.state != ClarificationState.WITHDRAWN)
    row = connection.execute(select(table).where(*live)).first()
    return None if row is None else _whole(connection, [row])[0]


def listing(connection: Connection, states: Collection[ClarificationState] | None = None) -> list[Clarification]:
    """Every clarification, or those in one of these states, in the order of drafting."""
    query = select(table).order_by(table.c.id)
    if states is not None:
        query = query.where(table.c.state.in_(states))
    return _whole(connection, connection.execute(query).all())


def published(connection: Connection) -> list[Clarification]:
    """Those that were published once, withdrawn ones too, in the order of drafting."""
    return [each for each in listing(connection) if each.versions]


def add(connection: Connection, new: Clarification, actor: str, detail: Mapping[str, Any]) -> Clarification:
    """Keep a new draft, with its audit entry; it gets its id here, which also ends its slug."""
    keys = ("alert_id", "uid", "drafted_at", "claimed_at", *_CHANGED)
    row = {**{key: getattr(new, key) for key in keys}, "slug": new.uid, **_texts(new)}
    id: int = connection.scalars(insert(table).values(**row).returning(table.c.id)).one()
    kept = replace(new, id=id, slug=f"{new.slug}-{id}")
    connection.execute(update(table).where(table.c.id == id).values(slug=kept.slug))
    audit.append(connection, kept.drafted_at, actor, "clarification.draft", subject(id), detail)
    return kept


def change(
    connection: Connection,
    before: Clarification,
    after: Clarification,
    *,
    at: datetime,
    actor: str,
    action: str,
    detail: Mapping[str, Any],
) -> bool:
    """Write ``after`` if the clarification is still as ``before``, with what it publishes and its audit entry.

    False, and nothing written, when somebody else was faster.
    """
    same = [table.c[key].is_not_distinct_from(getattr(before, key)) for key in _COMPARED]
    values = {**{key: getattr(after, key) for key in _CHANGED}, **_texts(after)}
    result = connection.execute(update(table).where(table.c.id == before.id, *same).values(**values))
    if result.rowcount != 1:
        return False
    for version in after.versions[len(before.versions) :]:
        versions.add(connection, before.id, version)
    audit.append(connection, at, actor, action, subject(before.id), detail)
    return True


def awaited(connection: Connection, since: datetime) -> list[Row[Any]]:
    """Alerts decided to be clarified at ``since`` or later, and not even drafted: ``id, priority, decided_at, title``.

    ``due_from, opened_at`` as well: their clocks count from there.
    """
    drafted = select(table.c.id).where(table.c.alert_id == alerts.c.id).exists()
    query = (
        select(*(alerts.c[key] for key in ("id", "priority", "decided_at", "due_from", "opened_at")), incidents.c.title)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(alerts.c.decision == Decision.CLARIFY, alerts.c.decided_at >= since, ~drafted)
        .order_by(alerts.c.priority, alerts.c.id)
    )
    return list(connection.execute(query))


def unsettled(connection: Connection) -> list[Row[Any]]:
    """Live clarifications whose alert is not decided as they say any more: ``id, alert_id, verdict, versions``.

    ``versions`` counts what was published; ``decision`` and ``decided``, a verdict, are those of the alert now.
    """
    otherwise = or_(
        alerts.c.decision.is_(None), alerts.c.decision != Decision.CLARIFY, alerts.c.verdict != table.c.verdict
    )
    told = select(func.count()).where(version_table.c.clarification_id == table.c.id).scalar_subquery()
    query = (
        select(table.c.id, table.c.alert_id, table.c.verdict, told.label("versions"))
        .add_columns(alerts.c.decision, alerts.c.verdict.label("decided"))
        .join(alerts, alerts.c.id == table.c.alert_id)
        .where(table.c.state != ClarificationState.WITHDRAWN, otherwise)
        .order_by(table.c.id)
    )
    return list(connection.execute(query))


def _texts(clarification: Clarification) -> dict[str, Any]:
    return {
        "verdict": clarification.verdict,
        "texts": versions.packed(clarification.texts),
        "writers": list(clarification.writers),
    }


def _whole(connection: Connection, rows: Sequence[Row[Any]]) -> list[Clarification]:
    told = versions.of(connection, [row.id for row in rows])
    return [
        Clarification(
            **{
                **row._asdict(),
                "state": ClarificationState(row.state),
                "verdict": Verdict(row.verdict),
                "texts": versions.unpacked(row.texts),
                "writers": tuple(row.writers),
                "versions": told.get(row.id, ()),
            }
        )
        for row in rows
    ]
