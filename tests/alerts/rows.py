"""Incidents straight into the store, so that the queue is tested without feeds and without a model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

from monitor.store import Connection, Store, pending
from monitor.store.schema import assessments, feeds, incident_items, incidents, items
from monitor.types import Alert, AlertState, ClaimType, Finding, Said

QUIET = {"hidden": 0, "inhibited": 0, "heard": 0}  # what dispatch counts where nothing is suppressed

WITHDRAWN = Finding(
    rule="roster-status",
    claim_type=ClaimType.CANDIDATE_STATUS,
    said=Said(
        "It says that {name} is no longer standing; the roster has a {candidate_status} candidate.",
        {"name": "Vivian Cheuk", "candidate_status": "validated"},
    ),
    evidence="卓望晴退選",
    rests_on="watchlist.toml: candidate cheuk-mong-ching",
    weight=0.9,
)
START = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
OPEN = Alert(
    id=7,
    incident_id=3,
    state=AlertState.OPEN,
    priority=1,
    level=0,
    score=0.9,
    opened_at=START,
    due_at=START + timedelta(minutes=15),
    holder=None,
    lease_expires_at=None,
    route="desk",
    suppression=None,
    decided_at=None,
    decision=None,
    verdict=None,
)


def add_incident(
    store: Store,
    now: datetime,
    *,
    title: str = "卓望晴今早突然退選？",
    claim_type: ClaimType | None = ClaimType.CANDIDATE_FACT,
    score: float = 0.7,
    matches: Sequence[str] = ("cheuk-mong-ching",),
    findings: Sequence[Finding] = (),
    outlets: Sequence[str] = ("Harbour Daily",),
    lang: str = "zh-Hant",
) -> int:
    """One incident with an item of each outlet; returns its id."""
    with store.write() as connection:
        incident_id: int = connection.scalars(
            insert(incidents)
            .values(title=title, claim_type=claim_type, lang=lang, created_at=now, first_seen_at=now, last_seen_at=now)
            .returning(incidents.c.id)
        ).one()
        for outlet in outlets:
            item_id = add_item(connection, now, incident_id, outlet, title, lang)
            assess(connection, now, item_id, score=score, matches=matches, findings=findings, claim_type=claim_type)
    return incident_id


def add_item(
    connection: Connection, now: datetime, incident_id: int, outlet: str, title: str, lang: str = "zh-Hant"
) -> int:
    """One more item of an incident, not yet assessed; returns its id."""
    feed_id = connection.scalar(select(feeds.c.id).where(feeds.c.outlet == outlet))
    if feed_id is None:
        url = f"http://{len(outlet)}-{outlet.encode().hex()[:30]}.example/rss"
        row = {"url": url, "outlet": outlet, "role": "media", "interval_s": 600, "added_at": now}
        feed_id = connection.scalars(insert(feeds).values(**row).returning(feeds.c.id)).one()
    item_id: int = connection.scalars(
        insert(items)
        .values(
            feed_id=feed_id,
            key=f"{incident_id}-{outlet}-{title}",
            link=f"http://harbour-daily.example/{incident_id}",
            title=title,
            summary=f"{title} A first paragraph.",
            lang=lang,
            published_at=now,
            first_seen_at=now,
        )
        .returning(items.c.id)
    ).one()
    member = {"item_id": item_id, "incident_id": incident_id, "reason": "first", "similarity": 1.0, "added_at": now}
    connection.execute(insert(incident_items).values(**member))
    pending.changed(connection, incident_id)
    return item_id


def assess(
    connection: Connection,
    now: datetime,
    item_id: int,
    *,
    score: float,
    matches: Sequence[str] = ("cheuk-mong-ching",),
    findings: Sequence[Finding] = (),
    claim_type: ClaimType | None = None,
    revision: int = 0,
    model_id: str = "seed-1",
) -> None:
    """The opinion of one model on one text of an item."""
    row: dict[str, Any] = {
        "item_id": item_id,
        "revision": revision,
        "model_id": model_id,
        "label": "false-information",
        "score": score,
        "flagged": True,
        "stance": "asserts",
        "claim_type": claim_type,
        "matches": [{"candidate_id": match, "alias": match, "start": 0, "end": 3} for match in matches],
        "findings": [finding.as_row() for finding in findings],
        "reasons": [{"code": "words", "text": f"Words that moved the score to {score:.2f}.", "detail": {}}],
        "assessed_at": now,
    }
    connection.execute(insert(assessments).values(**row))
    pending.assessed(connection, [item_id])


def unlock_audit(connection: Connection) -> None:
    """Take away what keeps the audit from being rewritten, as a person with the database's own tools can."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        return
    for verb in ("update", "delete"):
        connection.execute(text(f"DROP TRIGGER audit_refuses_{verb}"))
