"""What is known of incidents: read from all their items, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from monitor.store.assessments import IN_FORCE
from monitor.store.relations import related_to
from monitor.store.schema import assessments, feeds, incident_items, incidents, items, revisions
from monitor.types import ClaimType, IncidentFacts, Label, Lang, Role, Stance

PAGE = 500  # incidents whose items are read with one query

# Dates of feeds may be missing; what was first seen is always known.
_SEEN = (func.coalesce(items.c.published_at, items.c.first_seen_at), items.c.id)


def by_id(connection: Connection, incident_ids: Iterable[int]) -> dict[int, IncidentFacts]:
    """What is known of these incidents, by id: two queries for each PAGE of them."""
    facts: dict[int, IncidentFacts] = {}
    for ids in _pages(incident_ids):
        rows = connection.execute(_members(ids, incidents.c.title.label("incident_title"), incidents.c.sample))
        for incident_id, members in groupby(rows, key=lambda member: int(member.incident_id)):
            facts[incident_id] = _facts(incident_id, list(members))
        empty = select(incidents).where(incidents.c.id.in_([id for id in ids if id not in facts]))
        facts |= {row.id: _of_empty(row) for row in connection.execute(empty)}
    return facts


def in_full(connection: Connection, incident_id: int) -> dict[str, Any]:
    """One incident with its items in the order of time, each with its assessment and its earlier texts."""
    head = connection.execute(select(incidents).where(incidents.c.id == incident_id)).mappings().one()
    earlier: dict[int, list[dict[str, Any]]] = {}
    query = (
        select(revisions)
        .join(incident_items, incident_items.c.item_id == revisions.c.item_id)
        .where(incident_items.c.incident_id == incident_id)
        .order_by(revisions.c.item_id, revisions.c.revision)
    )
    for revision in connection.execute(query).mappings():
        text = {key: revision[key] for key in ("revision", "title", "summary", "seen_at", "replaced_at")}
        earlier.setdefault(revision["item_id"], []).append(text)
    wanted = ("key", "title", "summary", "published_at", "edited_at")
    extra: list[ColumnElement[Any]] = [items.c[key] for key in wanted]
    extra += [incident_items.c.reason, incident_items.c.similarity]
    extra += [items.c.lang.label("item_lang"), items.c.revision, assessments.c.revision.label("assessed_revision")]
    rows = connection.execute(_members([incident_id], *extra)).mappings()
    members = [{**member, "id": member["item_id"], "revisions": earlier.get(member["item_id"], [])} for member in rows]
    return {**head, "items": members, "related": related_to(connection, incident_id)}


def _members(incident_ids: Sequence[int], *extra: ColumnElement[Any]) -> Select[Any]:
    """The items of incidents in the order of time, each with the assessment in force if it has one."""
    assessed = ("label", "score", "flagged", "stance", "matches", "findings", "reasons", "model_id")
    return (
        select(
            incident_items.c.incident_id,
            incident_items.c.item_id,
            incidents.c.lang,
            func.coalesce(incidents.c.claim_type, assessments.c.claim_type).label("claim_type"),
            items.c.link,
            items.c.first_seen_at,
            feeds.c.outlet,
            feeds.c.role,
            feeds.c.channel.label("tip"),
            *(assessments.c[key] for key in assessed),
            *extra,
        )
        .select_from(incident_items)
        .join(incidents, incidents.c.id == incident_items.c.incident_id)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, IN_FORCE))
        .where(incident_items.c.incident_id.in_(incident_ids))
        .order_by(incident_items.c.incident_id, *_SEEN)
    )


def _facts(incident_id: int, members: Sequence[Row[Any]]) -> IncidentFacts:
    first = members[0]
    lead = max(members, key=lambda member: member.score or 0.0)
    matches = dict.fromkeys(match["candidate_id"] for member in members for match in member.matches or ())
    findings = {(finding["rule"], finding["text"]): finding for member in members for finding in member.findings or ()}
    return IncidentFacts(
        incident_id=incident_id,
        title=first.incident_title,
        claim_type=ClaimType(lead.claim_type) if lead.claim_type else None,
        lang=Lang(first.lang),
        score=lead.score or 0.0,
        label=Label(lead.label) if lead.label else None,
        reasons=tuple(reason["text"] for reason in lead.reasons or ()),
        matches=tuple(matches),
        findings=tuple(findings.values()),
        outlets=tuple(dict.fromkeys(member.outlet for member in members)),
        items=len(members),
        link=first.link,
        roles=tuple(Role(role) for role in dict.fromkeys(member.role for member in members)),
        stances=tuple(Stance(stance) for stance in dict.fromkeys(member.stance for member in members) if stance),
        per_hour=_busiest_hour(sorted(member.first_seen_at for member in members)),
        sample=first.sample,
        tips=tuple(dict.fromkeys(member.tip for member in members if member.tip)),
    )


def _of_empty(incident: Row[Any]) -> IncidentFacts:
    """What is known of an incident whose items went into another, or were purged."""
    return IncidentFacts(
        incident_id=incident.id,
        title=incident.title,
        claim_type=ClaimType(incident.claim_type) if incident.claim_type else None,
        lang=Lang(incident.lang),
        score=0.0,
        label=None,
        reasons=(),
        matches=(),
        findings=(),
        outlets=(),
        items=0,
        link=None,
        sample=incident.sample,
    )


def _busiest_hour(instants: Sequence[datetime]) -> int:
    """The most of ``instants``, in order, that lie within one hour: it never falls as an incident grows."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instant - instants[first] >= timedelta(hours=1):
            first += 1
        most = max(most, last - first + 1)
    return most


def _pages(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = list(ids)
    for start in range(0, len(rest), PAGE):
        yield rest[start : start + PAGE]
