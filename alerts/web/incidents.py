"""`/incidents` and `/incidents/ID`: what carries one claim, and how it went, from its first item to what was told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from alerts import history, opinions
from alerts.naming import Naming, load_naming
from alerts.web.look import Look
from alerts.web.parts import (
    TITLE,
    Cell,
    Column,
    Figures,
    Link,
    Listing,
    Page,
    Section,
    Table,
    Tone,
    claim,
    instant,
    number,
    web_address,
)
from monitor.language import _, render, term
from monitor.store import alerts as alert_store
from monitor.store import audit, board, incident_facts, incident_list, regroup, relations
from monitor.text import shorten
from monitor.types import IncidentFacts, Review

ROWS = 25
EVENTS = 300  # of a course of time, the newest


class Event(NamedTuple):
    """Something that happened to an incident."""

    at: datetime
    cell: Cell


def incidents(look: Look) -> Page:
    """The page of `/incidents`."""
    offset = (look.page - 1) * ROWS
    with look.store.read() as connection:
        heads = board.incident_page(connection, offset, ROWS + 1)
        shown = heads[:ROWS]
        ids = [head["id"] for head in shown]
        facts = incident_facts.by_id(connection, ids)
        latest = board.latest_alerts(connection, ids)
    columns = [
        Column(_("Claim"), head=True),
        Column(_("Items"), number=True),
        Column(_("Outlets"), number=True),
        Column(_("First seen")),
        Column(_("Last seen")),
        Column(_("Alert")),
    ]
    rows = [_row(look, head, facts[head["id"]], latest.get(head["id"])) for head in shown]
    onward = []
    if look.page > 1:
        onward.append(Link(_("Newer incidents"), look.to("/incidents", page=look.page - 1)))
    if len(heads) > ROWS:
        onward.append(Link(_("Older incidents"), look.to("/incidents", page=look.page + 1)))
    table = Table(_("Incidents"), columns, rows, _("No incident: nothing was flagged."))
    lead = _("Items that carry one claim, the one that moved last first.")
    return Page(_("Incidents"), lead, [Section("", [table])], onward)


def _row(look: Look, head: Mapping[str, Any], facts: IncidentFacts, alert: Mapping[str, Any] | None) -> list[Cell]:
    return [
        claim(facts.title, look.to(f"/incidents/{head['id']}"), facts.lang, facts.claim_type),
        number(facts.items),
        number(len(facts.outlets)),
        instant(head["first_seen_at"], look.zone),
        instant(head["last_seen_at"], look.zone),
        _alert(alert),
    ]


def _alert(alert: Mapping[str, Any] | None) -> Cell:
    """Priority and state of an alert, or what was decided; not while a second person is to decide without knowing."""
    if alert is None:
        return Cell(_("no alert"), tone=Tone.SOFT)
    said = term("state", alert["state"])
    if alert["decision"] and not opinions.is_blind(alert):
        said = term("decision", alert["decision"])
        if alert["verdict"]:
            said = f"{said} · {term('verdict', alert['verdict'])}"
    return Cell(f"P{alert['priority']} · {said}")


def incident(look: Look) -> Page:
    """The page of one incident; the id of a merged one shows what it went into. Raises NotFoundError, ConfigError."""
    with look.store.read() as connection:
        here = regroup.resolve(connection, int(look.path["id"]))
        facts = incident_facts.by_id(connection, [here])[here]
        found = incident_list.get(connection, here)
        related = relations.related_to(connection, here)
        alerts = alert_store.of_incident(connection, here)
        blind = [alert_store.subject(each.id) for each in alerts if _is_blind(each)]
        subjects = [alert_store.subject(each.id) for each in alerts]
        told = [entry for subject in subjects for entry in audit.listing(connection, subject=subject)]
        merged = [here, *incident_list.merged_into(connection, here)]
        changes = [entry for each in merged for entry in audit.listing(connection, subject=regroup.subject(each))]
    naming = load_naming(look.settings)
    events = [
        *(_item(look, item) for item in found["items"]),
        *(_told(look, naming, entry) for entry in opinions.without_told(told, blind)),
        *_changes(look, changes),
    ]
    newest = sorted(events, key=lambda event: event.at)[-EVENTS:]
    course = Listing([event.cell for event in newest], _("Its items were purged."), ordered=True)
    sections = [Section(_("What is known"), [_known(look, facts, found)])]
    if len(events) > EVENTS:
        title = _("The last {shown} of {all} events").format(shown=EVENTS, all=f"{len(events):,}")
    else:
        title = _("Timeline")
    sections.append(Section(title, [course]))
    if related:
        rows = [
            Cell(
                shorten(other["title"], TITLE),
                look.to(f"/incidents/{other['id']}"),
                note=_("similarity {value}").format(value=f"{other['similarity']:.2f}"),
            )
            for other in related
        ]
        sections.append(Section(_("Possibly the same claim"), [Listing(rows)]))
    return Page(
        title=facts.title,
        title_lang=facts.lang,
        lead=_("Incident {id}").format(id=here),
        sections=sections,
        back=Link(_("Incidents"), look.to("/incidents")),
    )


def _is_blind(alert: Any) -> bool:
    return opinions.is_blind({"review": Review(alert.review), "decision": alert.decision})


def _known(look: Look, facts: IncidentFacts, found: Mapping[str, Any]) -> Figures:
    rows = [
        (_("Claim type"), Cell(term("claim_type", facts.claim_type) if facts.claim_type else _("unclear"))),
        (_("Language"), Cell(term("lang", facts.lang))),
        (_("Items"), number(facts.items)),
        (_("Outlets"), number(len(facts.outlets))),
        (_("Most in one hour"), number(facts.per_hour)),
        (_("First seen"), instant(found["first_seen_at"], look.zone)),
        (_("Last seen"), instant(found["last_seen_at"], look.zone)),
    ]
    if facts.sample:
        rows.append((_("Sample"), Cell(_("nobody flagged it: it was drawn to see what is missed"))))
    return Figures(rows)


def _item(look: Look, item: Mapping[str, Any]) -> Event:
    at = item["published_at"] or item["first_seen_at"]
    seen = instant(item["first_seen_at"], look.zone).text
    note = _("{outlet}, first seen {seen}").format(outlet=item["outlet"], seen=seen)
    return Event(at, Cell(item["title"], web_address(item["link"]), at=at.astimezone(look.zone), note=note))


def _told(look: Look, naming: Naming, entry: Mapping[str, Any]) -> Event:
    """What was done with an alert; by whom, and whose lease ran out, is in the audit and not here."""
    detail = entry["detail"]
    if detail.get("holder", entry["actor"]) != entry["actor"]:
        entry = {**entry, "detail": {**detail, "holder": _("a reviewer")}}
    said = render(naming.told(history.sentence(entry)), look.zone)
    about = _("Alert {id}").format(id=entry["subject"].partition(":")[2])
    return Event(entry["at"], Cell(said, at=entry["at"].astimezone(look.zone), note=about, tone=Tone.SOFT))


def _changes(look: Look, entries: list[dict[str, Any]]) -> Iterator[Event]:
    """Merges and splits."""
    said = {"incident.merge": _("merged into incident {into}"), "incident.split": _("split: incident {into}")}
    for entry in entries:
        if entry["action"] in said:
            text = said[entry["action"]].format(into=entry["detail"]["into"])
            at = entry["at"].astimezone(look.zone)
            yield Event(at, Cell(text, at=at, note=entry["detail"]["reason"], tone=Tone.SOFT))
