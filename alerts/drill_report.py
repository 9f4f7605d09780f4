"""What a drill shows: how much of what was planted was flagged, how soon, and what people made of it. Pure.

Times are seconds. A quantile is the nearest rank (see ``alerts.legs``): a time that occurred.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.drill_script import Plant, Script
from alerts.legs import quantile
from alerts.priority import priority_name
from monitor.types import HARMLESS_STANCES, ClaimType, Decision, Role, Said, Stance

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score a text is flagged, and how much more one needs that names nobody."""

    score: float
    unnamed: float

    def of(self, row: Row) -> float:
        """That of one assessed item."""
        return round(self.score + (0 if row["matches"] or row["findings"] else self.unnamed), 4)


def report(
    script: Script, names: Mapping[str, str], items: Sequence[Row], alerts: Sequence[Row], threshold: Threshold
) -> dict[str, Any]:
    """The report, ready for JSON. ``names`` are feeds by address; ``items`` and ``alerts`` the rows of ``traces``.

    ``detected`` are plants of which an item was flagged and stands in an alert; ``false_alarms`` alerts, samples left
    out, in which nothing planted stands; ``p50_s`` and ``p90_s`` go from the publication to the flag. A plant that was
    missed says its highest ``score``, the ``threshold`` and ``why``.
    """
    keyed = [_keyed(script, row, names.get(row["url"], "")) for row in items]
    by_plant: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in keyed:
        if plant_id := script.claims.get((row["feed"], row["guid"])):
            by_plant[plant_id].append(row)
    of_incident = {alert["incident_id"]: alert for alert in alerts if not alert["sample"]}
    roles = {entry.feed: entry.role for entry in script.header.feeds}
    published, refuted = _published(script)
    plants = [
        _plant(plant, by_plant[id], published[id], refuted.get(id), of_incident, roles, threshold)
        for id, plant in script.plants.items()
    ]
    carried = {row["incident_id"] for rows in by_plant.values() for row in rows if row["incident_id"] is not None}
    queue = [queued(alert, planted=alert["incident_id"] in carried) for alert in alerts]
    false_alarms = sum(not row["planted"] for row in queue if not row["sample"])
    hours = (script.end - script.start) / timedelta(hours=1)
    refuting = [row for row in keyed if (row["feed"], row["guid"]) in script.refutations]
    return {
        "from": script.start.isoformat(),
        "to": script.end.isoformat(),
        "items": len(keyed),
        "not_collected": _lost(script, keyed),
        **_counted(plants),
        "alerts": len(queue),
        "samples": sum(bool(row["sample"]) for row in queue),
        "false_alarms": false_alarms,
        "false_alarms_per_hour": round(false_alarms / hours, 3) if hours else None,
        "refutations": len(refuting),
        "refutations_flagged": sum(bool(row["flagged"]) for row in refuting),
        "p50_s": _of(plants, "flag_s")["p50_s"],
        "p90_s": _of(plants, "flag_s")["p90_s"],
        "times": {name: _of(plants, f"{name}_s") for name in ("flag", "take", "decision")},
        "decided": dict(sorted(Counter(row["outcome"] for row in plants if row["detected"]).items())),
        "by_claim_type": _by(plants, "claim_type"),
        "by_lang": _by(plants, "lang"),
        "hours": _hours(script, keyed, queue),
        "plants": plants,
        "queue": queue,
    }


def _lost(script: Script, items: Sequence[Row]) -> int:
    """Items of the script that a feed dropped before it was asked."""
    seen = {(row["feed"], row["guid"]) for row in items}
    return len(script.stories - seen)


def _keyed(script: Script, row: Row, feed: str) -> dict[str, Any]:
    """A row with feed and guid as the script has them."""
    return {**row, **dict(zip(("feed", "guid"), script.named(feed, row["guid"], row["link"]), strict=True))}


def _published(script: Script) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When each plant was first published, and when it was first refuted, by its id."""
    first: dict[str, datetime] = {}
    refuted: dict[str, datetime] = {}
    for change in script.changes:
        for story in change.add:
            at = story.published or change.at
            if story.plant:
                first.setdefault(story.plant.id, at)
            if story.refutes:
                refuted.setdefault(story.refutes, at)
        for plant in change.plants.values():
            first.setdefault(plant.id, change.at)
    return first, refuted


def _plant(
    plant: Plant,
    rows: Sequence[Row],
    published: datetime,
    refuted: datetime | None,
    alerts: Mapping[int, Row],
    roles: Mapping[str, Role],
    threshold: Threshold,
) -> dict[str, Any]:
    """How one plant fared: of its items the first flagged one that is in an alert, else the one that scored highest."""
    hits = [row for row in rows if row["flagged_at"] is not None and row["incident_id"] in alerts]
    hit = min(hits, key=lambda row: row["flagged_at"], default=None)
    best = hit or max(rows, key=lambda row: row["score"] or 0.0, default=None)
    alert = alerts[hit["incident_id"]] if hit else None
    taken, decided = (alert["taken_at"], alert["decided_at"]) if alert else (None, None)
    return {
        "id": plant.id,
        "claim_type": plant.claim_type.value,
        "candidate": plant.candidate,
        "lang": best["lang"] if best else None,
        "title": best["title"] if best else "",
        "items": len(rows),
        "published_at": published.isoformat(),
        "refuted_at": refuted.isoformat() if refuted else None,
        "detected": hit is not None,
        "flag_s": _seconds(published, hit["flagged_at"] if hit else None),
        "take_s": _seconds(published, taken),
        "decision_s": _seconds(published, decided),
        "alert": alert["id"] if alert else None,
        "priority": priority_name(alert["priority"]) if alert else None,
        "named_type": best["claim_type"] if best else None,
        "decision": alert["decision"] if alert else None,
        "verdict": alert["verdict"] if alert else None,
        "outcome": outcome(plant, alert),
        "score": round(best["score"], 4) if best and best["score"] is not None else None,
        "threshold": threshold.of(best) if best and best["score"] is not None else None,
        "why": None if hit else why(best, roles, threshold).text,
        "said": None if hit else asdict(why(best, roles, threshold)),
        "reasons": [reason["text"] for reason in (best["reasons"] or ())] if best else [],
    }


def why(row: Row | None, roles: Mapping[str, Role], threshold: Threshold) -> Said:  # noqa: PLR0911 - one for each reason
    """Why an item that should have been flagged was not, in a few words."""
    if row is None:
        return Said("its feed dropped it before it was collected")
    if row["score"] is None:
        return Said("it was not assessed")
    if (role := roles.get(row["feed"])) in (Role.OFFICIAL, Role.FACTCHECK):
        return Said("its outlet is trusted: {role}", {"role": role})
    if Stance(row["stance"]) in HARMLESS_STANCES:
        return Said("it was taken for a text that says otherwise: {stance}", {"stance": Stance(row["stance"])})
    if row["flagged"]:
        return Said("it was flagged, but is in no alert")
    least = threshold.of(row)
    figures = {"score": f"{row['score']:.2f}", "threshold": f"{least:.2f}"}
    if least > threshold.score:
        return Said("it scored {score} of {threshold}, and names nobody who is watched", figures)
    return Said("it scored {score} of {threshold}", figures)


def outcome(plant: Plant, alert: Row | None) -> str:
    """``right``, ``wrong`` or ``undecided``."""
    if alert is None or alert["decided_at"] is None:
        return "undecided"
    let_go = alert["decision"] in (Decision.DISMISS, Decision.DUPLICATE)
    return "wrong" if let_go and plant.claim_type is not ClaimType.OPINION_OR_SATIRE else "right"


def queued(alert: Row, *, planted: bool) -> dict[str, Any]:
    """An alert (a row of ``traces``) as the report tells it and ``drill_plan`` reads it."""
    return {
        "id": alert["id"],
        "priority": alert["priority"],
        "planted": planted,
        "sample": alert["sample"],
        "suppression": alert["suppression"],
        "claim_type": alert["claim_type"],
        "title": alert["title"],
        "opinions": alert["opinions"],
        **{key: alert[key] and alert[key].isoformat() for key in ("opened_at", "taken_at", "decided_at")},
        "decision": alert["decision"],
    }


def _counted(plants: Sequence[Row]) -> dict[str, Any]:
    detected = sum(row["detected"] for row in plants)
    return {
        "planted": len(plants),
        "detected": detected,
        "recall": round(detected / len(plants), 4) if plants else None,
    }


def _by(plants: Sequence[Row], key: str) -> list[dict[str, Any]]:
    values = sorted({row[key] or "-" for row in plants})
    return [
        {key: value, **_counted(mine), **{k: v for k, v in _of(mine, "flag_s").items() if k != "n"}}
        for value in values
        if (mine := [row for row in plants if (row[key] or "-") == value])
    ]


def _of(plants: Iterable[Row], key: str) -> dict[str, Any]:
    """``n, p50_s, p90_s`` of what has that time."""
    spans = sorted(timedelta(seconds=row[key]) for row in plants if row[key] is not None)
    p50, p90 = (quantile(spans, percent) for percent in (50, 90))
    return {"n": len(spans), "p50_s": _whole(p50), "p90_s": _whole(p90)}


def _hours(script: Script, items: Sequence[Row], queue: Sequence[Row]) -> list[dict[str, Any]]:
    """What came in each hour from the start on."""

    def hour(instant: datetime) -> int:
        return int((instant - script.start) / timedelta(hours=1))

    seen = Counter(hour(row["first_seen_at"]) for row in items)
    opened: Counter[tuple[int, bool]] = Counter()
    for row in queue:
        if not row["sample"]:
            opened[hour(datetime.fromisoformat(row["opened_at"])), row["planted"]] += 1
    return [
        {
            "at": (script.start + timedelta(hours=number)).isoformat(),
            "items": seen[number],
            "alerts": opened[number, True],
            "false_alarms": opened[number, False],
        }
        for number in range(hour(script.end) + 1)
    ]


def _seconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else int((end - start).total_seconds())


def _whole(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())
