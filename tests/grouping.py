"""Flagged items put straight into a store, for the tests of grouping and of incidents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from monitor.links import link_key
from monitor.store import Connection, Store, pending, postgresql
from monitor.store.schema import assessments, feeds, incident_items, items
from monitor.text import detect_lang

START = datetime(2027, 3, 1, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One item and what the classifier said of it; ``minute`` counts from START, None for an item without a date."""

    title: str
    summary: str = ""
    feed: int = 1
    minute: int | None = 0
    link: str | None = None
    names: Sequence[str] = ()
    flagged: bool = True
    claim_type: str | None = None
    findings: Sequence[tuple[str, str]] = ()  # rule, and what it rests on


def fill(store: Store, rows: Iterable[Row]) -> list[int]:
    """Insert feeds, items and assessments; returns the items' ids in the order given."""
    with store.write() as connection:
        ids = [_insert(connection, number, row) for number, row in enumerate(rows)]
        if connection.dialect.name == "postgresql":  # a server counts only the keys that it gave itself
            postgresql.count_on(connection, [feeds])
    return ids


def _insert(connection: Connection, number: int, row: Row) -> int:
    seen = START + timedelta(minutes=row.minute or 0, seconds=1)
    if connection.scalar(select(feeds.c.id).where(feeds.c.id == row.feed)) is None:
        connection.execute(
            insert(feeds).values(
                id=row.feed,
                url=f"https://feed{row.feed}.example/rss",
                outlet=f"Outlet {row.feed}",
                role="media",
                interval_s=600,
                added_at=START,
            )
        )
    text = f"{row.title}{row.summary}"
    item_id = connection.scalar(
        insert(items)
        .values(
            feed_id=row.feed,
            key=f"{row.minute}-{row.title}-{number}",
            link=row.link,
            link_key=link_key(row.link),
            title=row.title,
            summary=row.summary,
            lang=detect_lang(text),
            published_at=None if row.minute is None else START + timedelta(minutes=row.minute),
            first_seen_at=seen,
            revision=0,
        )
        .returning(items.c.id)
    )
    assert item_id is not None
    assess(
        connection,
        item_id,
        flagged=row.flagged,
        names=row.names,
        claim_type=row.claim_type,
        findings=row.findings,
        at=seen,
    )
    return int(item_id)


def assess(connection: Connection, item_id: int, *, model: str = "m1", **given: Any) -> None:
    """Insert one assessment of revision 0 (or ``revision``)."""
    connection.execute(
        insert(assessments).values(
            item_id=item_id,
            revision=given.get("revision", 0),
            model_id=model,
            label="false-information",
            score=0.9,
            flagged=given["flagged"],
            stance="asserts",
            claim_type=given.get("claim_type"),
            matches=[{"candidate_id": name, "alias": name, "start": 0, "end": 1} for name in given.get("names", ())],
            findings=[{"rule": rule, "rests_on": line} for rule, line in given.get("findings", ())],
            reasons=[],
            assessed_at=given["at"],
        )
    )
    pending.assessed(connection, [item_id])


def partition(store: Store) -> set[frozenset[int]]:
    """Which items are together."""
    with store.read() as connection:
        rows = connection.execute(select(incident_items.c.incident_id, incident_items.c.item_id)).all()
    together: dict[int, set[int]] = {}
    for incident_id, item_id in rows:
        together.setdefault(incident_id, set()).add(item_id)
    return {frozenset(members) for members in together.values()}
