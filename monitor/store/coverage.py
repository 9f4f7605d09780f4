"""What was and was not covered: what came in and of which kind, what was dropped, how the live model has judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from monitor.store.decisions import STANDS
from monitor.store.schema import (
    alerts,
    assessments,
    decisions,
    feeds,
    incidents,
    items,
    occasions,
    outbox,
    to_dispatch,
    to_group,
)
from monitor.types import Decision

_RECENT = 200  # decisions
_later = decisions.alias("later")


def langs_since(connection: Connection, langs: Iterable[str], since: datetime) -> list[str]:
    """Which of these languages have an item first seen at ``since`` or later."""
    return [
        lang
        for lang in langs
        if connection.scalar(select(exists().where(items.c.first_seen_at >= since, items.c.lang == lang)))
    ]


def claim_types_since(connection: Connection, since: datetime) -> set[str]:
    """The claim types of the incidents found since then, samples apart."""
    query = select(incidents.c.claim_type).where(
        incidents.c.created_at >= since, incidents.c.sample.is_(None), incidents.c.claim_type.is_not(None)
    )
    return set(connection.scalars(query.distinct()))


def quiet_outlets(connection: Connection, since: datetime) -> list[str]:
    """The outlets that are asked and of which no feed has brought anything since then, by name.

    One whose first feed is younger than that is none of them.
    """
    query = (
        select(feeds.c.outlet)
        .where(feeds.c.enabled, feeds.c.channel.is_(None))
        .group_by(feeds.c.outlet)
        .having(
            or_(func.max(feeds.c.last_new_at).is_(None), func.max(feeds.c.last_new_at) < since),
            func.min(feeds.c.added_at) < since,
        )
        .order_by(feeds.c.outlet)
    )
    return list(connection.scalars(query))


def dropped_since(connection: Connection, since: datetime) -> dict[str, dict[str, int]]:
    """By why it was dropped, in the words of who dropped it: ``occasions`` and ``messages`` for receivers."""
    found: dict[str, dict[str, int]] = {}
    for name, table, at in (("occasions", occasions, occasions.c.at), ("messages", outbox, outbox.c.frozen_at)):
        query = (
            select(table.c.dropped, func.count())
            .where(table.c.dropped.is_not(None), at >= since)
            .group_by(table.c.dropped)
            .order_by(func.count().desc(), table.c.dropped)
        )
        found[name] = {row[0]: row[1] for row in connection.execute(query)}
    return found


def backlog(connection: Connection) -> dict[str, int]:
    """What the stages have before them: items not judged, not grouped, too old to be grouped; incidents not routed."""
    judged = select(assessments.c.item_id).distinct().subquery()  # read from the index alone
    every, done = (select(func.count()).select_from(each).scalar_subquery() for each in (items, judged))
    counts = {
        "unassessed": select(every - done),
        "ungrouped": select(func.count()).select_from(to_group).where(to_group.c.published_at.is_(None)),
        "too_old": select(func.count()).select_from(to_group).where(to_group.c.published_at.is_not(None)),
        "undispatched": select(func.count()).select_from(to_dispatch),
    }
    return {name: connection.scalar(query) or 0 for name, query in counts.items()}


def scores_before(connection: Connection, model_id: str, until: datetime, limit: int) -> list[tuple[float, bool]]:
    """What a model thought of the newest items first seen before ``until``: score in [0, 1], and whether it flagged."""
    newest = (
        select(items.c.id, items.c.revision)
        .where(items.c.first_seen_at < until)
        .order_by(items.c.first_seen_at.desc())
        .limit(limit)
        .subquery()
    )
    query = select(assessments.c.score, assessments.c.flagged).join_from(
        newest,
        assessments,
        and_(
            assessments.c.item_id == newest.c.id,
            assessments.c.revision == newest.c.revision,
            assessments.c.model_id == model_id,
        ),
    )
    return [(row.score, row.flagged) for row in connection.execute(query)]


def rulings(connection: Connection) -> tuple[int, int]:
    """Of the last decisions in force, _RECENT at most, on alerts that were flagged: how many, how many dismissed it."""
    newest = select(decisions.c.id).order_by(decisions.c.id.desc()).limit(10 * _RECENT)
    final = and_(
        STANDS,
        decisions.c.id.in_(newest),
        ~exists().where(
            _later.c.alert_id == decisions.c.alert_id, _later.c.id > decisions.c.id, _later.c.withdrawn_at.is_(None)
        ),
    )
    query = (
        select(decisions.c.decision)
        .join(alerts, alerts.c.id == decisions.c.alert_id)
        .where(final, alerts.c.sample.is_(None), decisions.c.decision != Decision.DUPLICATE)
        .order_by(decisions.c.id.desc())
        .limit(_RECENT)
    )
    made: list[Any] = list(connection.scalars(query))
    return len(made), made.count(Decision.DISMISS)
