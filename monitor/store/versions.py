"""What the public was told: the published versions of clarifications, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, and_, func, insert, select

from monitor.store.schema import alerts, clarifications, versions
from monitor.types import ClarificationState, Fact, Lang, Statement, Texts, Verdict, Version

_LATEST = and_(
    versions.c.number
    == select(func.max(versions.c.number).label("last"))
    .where(versions.c.clarification_id == clarifications.c.id)
    .correlate(clarifications)
    .scalar_subquery(),
    versions.c.state != ClarificationState.WITHDRAWN,
)


def add(connection: Connection, clarification_id: int, version: Version) -> None:
    """Write one version down."""
    row = {**asdict(version), "texts": packed(version.texts), "writers": list(version.writers)}
    connection.execute(insert(versions).values(clarification_id=clarification_id, **row))


def of(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Version, ...]]:
    """The versions of these clarifications, each in the order of publication."""
    query = select(versions).where(versions.c.clarification_id.in_(ids))
    found: dict[int, tuple[Version, ...]] = {}
    for row in connection.execute(query.order_by(versions.c.clarification_id, versions.c.number)):
        found[row.clarification_id] = (*found.get(row.clarification_id, ()), _version(row))
    return found


def public(connection: Connection, alert_id: int | None = None) -> list[Row[Any]]:
    """What readers are told now, of all alerts or of one: ``alert_id, incident_id, slug, verdict, texts``.

    In the order of the clarifications; withdrawn ones are not among it.
    """
    query = (
        select(clarifications.c.alert_id, alerts.c.incident_id, clarifications.c.slug)
        .add_columns(versions.c.verdict, versions.c.texts)
        .join(alerts, alerts.c.id == clarifications.c.alert_id)
        .join(versions, versions.c.clarification_id == clarifications.c.id)
        .where(_LATEST)
        .order_by(clarifications.c.id)
    )
    if alert_id is not None:
        query = query.where(clarifications.c.alert_id == alert_id)
    return list(connection.execute(query))


def between(connection: Connection, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The versions published in [start, end), the newest first: ``id, alert_id, slug, state, verdict, title, at``.

    ``title`` is the English one, ``titles`` are by language.
    """
    query = (
        select(clarifications.c.id, clarifications.c.alert_id, clarifications.c.slug)
        .add_columns(versions.c.state, versions.c.verdict, versions.c.texts, versions.c.published_at)
        .join(versions, versions.c.clarification_id == clarifications.c.id)
        .where(versions.c.published_at >= start, versions.c.published_at < end)
        .order_by(versions.c.published_at.desc(), clarifications.c.id.desc())
    )
    return [
        {
            **{key: getattr(row, key) for key in ("id", "alert_id", "slug", "state", "verdict")},
            "title": row.texts[Lang.EN]["title"],
            "titles": {lang: text["title"] for lang, text in row.texts.items()},
            "at": row.published_at,
        }
        for row in connection.execute(query)
    ]


def count(connection: Connection) -> int:
    """How many versions there are: grows with everything that is published."""
    return connection.scalar(select(func.count()).select_from(versions)) or 0


def first_published_at() -> ScalarSelect[Any]:
    """When readers were first told of the alert of the row. For queries that select from alerts."""
    return (
        select(func.min(versions.c.published_at))
        .join(clarifications, clarifications.c.id == versions.c.clarification_id)
        .where(clarifications.c.alert_id == alerts.c.id)
        .correlate(alerts)
        .scalar_subquery()
    )


def packed(texts: Texts) -> dict[str, Any]:
    """As JSON."""
    return {lang.value: asdict(statement) for lang, statement in texts.items()}


def unpacked(stored: Mapping[str, Mapping[str, Any]]) -> Texts:
    """From JSON."""
    return {
        Lang(lang): Statement(**{**fields, "facts": tuple(Fact(**fact) for fact in fields["facts"])})
        for lang, fields in stored.items()
    }


def _version(row: Row[Any]) -> Version:
    return Version(
        number=row.number,
        state=ClarificationState(row.state),
        verdict=Verdict(row.verdict),
        texts=unpacked(row.texts),
        published_at=row.published_at,
        writers=tuple(row.writers),
        approved_by=row.approved_by,
        published_by=row.published_by,
    )
