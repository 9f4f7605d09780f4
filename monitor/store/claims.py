"""The claims that are known: those that reviewers ruled on, and what official and fact-check feeds took back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from monitor.store import versions
from monitor.store.assessments import IN_FORCE, REFUTES
from monitor.store.schema import alerts, assessments, feeds, incident_items, items
from monitor.types import Claim, Lang, Role, Verdict, join_text, page_url

# So many wordings, the newest, bound what an index of them takes.
LIMIT = 1_000_000
_ABOUT_FACTS = (Verdict.FALSE, Verdict.MISLEADING, Verdict.PARTLY_FALSE, Verdict.UNPROVEN, Verdict.TRUE)


def known(connection: Connection, base_url: str = "") -> list[Claim]:
    """Every known claim, an item a wording, in the order of the items' first sight; then what our own pages quote.

    ``incident-N``: the items of an incident on which reviewers gave a verdict that says whether it is so; of several
    the last counts. ``item-N``: an item of an official or fact-check feed that refutes, and is in no such incident.
    Where we published a clarification, its claims have the address of the page, below ``base_url``.
    """
    pages = {row.incident_id: row for row in versions.public(connection)}
    ruled = _ruled(connection, pages, base_url)
    of_items = [claim for _, claim in sorted(({**refuted(connection), **ruled}).items())[-LIMIT:]]
    return [*of_items, *(claim for row in pages.values() for claim in _quoted(row, base_url))]


def _quoted(row: Row[Any], base_url: str) -> Iterator[Claim]:
    """The claim of one page in each language."""
    if row.verdict in _ABOUT_FACTS:
        for lang, text in versions.unpacked(row.texts).items():
            url = page_url(base_url, row.slug, lang)
            yield Claim(f"incident-{row.incident_id}", text.claim, verdict=Verdict(row.verdict), url=url)


def _ruled(connection: Connection, pages: Mapping[int, Row[Any]], base_url: str) -> dict[int, Claim]:
    def page(incident_id: int, lang: str) -> str:
        found = pages.get(incident_id)
        if found is None:
            return ""
        chinese = lang != Lang.EN and Lang.HANT in found.texts
        return page_url(base_url, found.slug, Lang.HANT if chinese else Lang.EN)

    last = (
        select(func.max(alerts.c.id).label("id"))
        .where(alerts.c.verdict.is_not(None))
        .group_by(alerts.c.incident_id)
        .subquery()
    )
    rows = connection.execute(
        select(items.c.id, items.c.title, items.c.summary, items.c.lang, alerts.c.incident_id, alerts.c.verdict)
        .join_from(last, alerts, alerts.c.id == last.c.id)
        .join(incident_items, incident_items.c.incident_id == alerts.c.incident_id)
        .join(items, items.c.id == incident_items.c.item_id)
        .where(alerts.c.verdict.in_(_ABOUT_FACTS))
        .order_by(items.c.id.desc())
        .limit(LIMIT)
    )
    return {
        row.id: Claim(
            f"incident-{row.incident_id}",
            join_text(row.title, row.summary),
            verdict=Verdict(row.verdict),
            url=page(row.incident_id, row.lang),
        )
        for row in rows
    }


def refuted(connection: Connection, since: datetime | None = None) -> dict[int, Claim]:
    """What official and fact-check feeds took back, by item; with ``since``, only what was first seen from then on."""
    of_present_text = and_(assessments.c.item_id == items.c.id, assessments.c.revision == items.c.revision)
    rows = connection.execute(
        select(items.c.id, items.c.title, items.c.summary)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .join(assessments, of_present_text)
        .where(feeds.c.role.in_((Role.OFFICIAL, Role.FACTCHECK)), REFUTES, IN_FORCE)
        .where(*([items.c.first_seen_at >= since] if since else []))
        .order_by(items.c.id.desc())
        .limit(LIMIT)
    )
    return {row.id: Claim(f"item-{row.id}", join_text(row.title, row.summary)) for row in rows}
