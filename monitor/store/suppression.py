"""Which alerts are hidden. By cause and by instant: a suppression whose cause is over hides nothing, written or not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from monitor.store import silences
from monitor.store.inhibitions import stands
from monitor.store.schema import alerts
from monitor.types import LIVE, Suppression

_KINDS = (Suppression.SILENCE, Suppression.INHIBITED)
_ruling = alerts.alias("ruling")


def hidden_at(now: datetime | None) -> ColumnElement[bool]:
    """Whether the alert of the row is hidden at ``now``; without it, whether it is by what is written down."""
    silenced = and_(_is(Suppression.SILENCE), silences.holding(now))
    inhibited = and_(_is(Suppression.INHIBITED), exists().where(_ruling.c.id == alerts.c.inhibited_by, stands(_ruling)))
    return or_(silenced, inhibited)


def over(connection: Connection, now: datetime, alert_id: int | None = None) -> list[int]:
    """Ids of the alerts, or of this one, whose suppression is over at ``now`` and not yet written down so."""
    query = select(alerts.c.id).where(alerts.c.suppression.in_(_KINDS), ~hidden_at(now)).order_by(alerts.c.id)
    if alert_id is not None:
        query = query.where(alerts.c.id == alert_id)
    return list(connection.scalars(query))


def counts(connection: Connection, now: datetime) -> dict[str, int]:
    """How many live alerts silences hide, and how many are inhibited."""
    query = (
        select(alerts.c.suppression, func.count())
        .where(alerts.c.suppression.is_not(None), alerts.c.state.in_(LIVE), hidden_at(now))
        .group_by(alerts.c.suppression)
    )
    found: dict[str, Any] = {row[0]: row[1] for row in connection.execute(query)}
    return {kind.value: found.get(kind, 0) for kind in _KINDS}


def _is(suppression: Suppression) -> ColumnElement[bool]:
    # Never NULL: a row without suppression is not hidden, rather than nobody knows.
    return alerts.c.suppression.is_not_distinct_from(suppression)
