"""What the subjects of audit entries are about: an alert, its incident, its items."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.store.schema import alerts, clarifications, incident_items

PAGE = 500
_KINDS = ("alert", "clarification", "incident")


def about(connection: Connection, subjects: Iterable[str], most: int) -> dict[str, dict[str, Any]]:
    """By subject (``alert:3``): ``alert``, ``incident``, ``items``, as far as it has them.

    The items of an incident are its first ``most``; of larger ones ``items_in_all`` says how many there are.
    """
    found: dict[str, dict[str, Any]] = {}
    for subject in subjects:
        kind, _, number = subject.partition(":")
        found[subject] = {kind: int(number)} if kind in _KINDS and number.isdecimal() else {}
    rows = list(found.values())
    drafted = _pairs(connection, clarifications.c.id, clarifications.c.alert_id, rows, "clarification")
    for row in rows:
        if alert := drafted.get(row.get("clarification", 0)):
            row["alert"] = alert
    incidents = _pairs(connection, alerts.c.id, alerts.c.incident_id, rows, "alert")
    for row in rows:
        if incident := incidents.get(row.get("alert", 0)):
            row["incident"] = incident
    members = _members(connection, {row["incident"] for row in rows if "incident" in row}, most)
    for row in rows:
        if "incident" in row:
            row.update(members.get(row["incident"], {"items": []}))
    return found


def _pairs(connection: Connection, key: Any, value: Any, rows: Iterable[dict[str, Any]], name: str) -> dict[int, int]:
    wanted = sorted({row[name] for row in rows if name in row})
    pairs: dict[int, int] = {}
    for start in range(0, len(wanted), PAGE):
        query = select(key, value).where(key.in_(wanted[start : start + PAGE]))
        pairs.update((row[0], row[1]) for row in connection.execute(query))
    return pairs


def _members(connection: Connection, incident_ids: Collection[int], most: int) -> dict[int, dict[str, Any]]:
    wanted = sorted(incident_ids)
    members: dict[int, dict[str, Any]] = {}
    own = incident_items.c
    for start in range(0, len(wanted), PAGE):
        place = func.row_number().over(partition_by=own.incident_id, order_by=own.item_id).label("place")
        size = func.count().over(partition_by=own.incident_id).label("size")
        of_page = own.incident_id.in_(wanted[start : start + PAGE])
        ranked = select(own.incident_id, own.item_id, place, size).where(of_page).subquery()
        query = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.incident_id, ranked.c.place)
        for row in connection.execute(query):
            known = members.setdefault(row.incident_id, {"items": []})
            known["items"].append(row.item_id)
            if row.size > most:
                known["items_in_all"] = row.size
    return members
