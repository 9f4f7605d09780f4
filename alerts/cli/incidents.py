"""`incidents`: what carries one claim, and who says that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    cell,
    example,
    instant,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
    reviewer_name,
    since_option,
)
from monitor.invisible import safe

_reviewer_option = click.option(
    "--reviewer", metavar="NAME", help="Who acts; else $POLLWATCH_REVIEWER, else the login."
)
_reason_option = click.option("--reason", required=True, help="Why; it stands in the audit.")


@click.group()
def incidents() -> None:
    """Items that carry one claim: look at them, make one of two, or two of one."""


@incidents.command("list", epilog=example("pollwatch incidents list --since 2026-11-30T07:30 --json"))
@since_option
@click.option("--limit", type=NUMBER, metavar="N", help="At most so many; default: all.")
@json_option
@pass_context
def list_incidents(context: Context, since: str | None, limit: int | None, as_json: bool) -> None:
    """Show incidents, the one that moved last first."""
    from alerts import incidents as acts

    with context.store() as (store, settings):
        start = instant(since, settings.calendar.zone) if since else None
        rows = acts.listing(store, start, limit)
    if as_json:
        print_lines(rows)
        return
    shown = [{**row, "items": len(row["items"]), "outlets": len(row["outlets"])} for row in rows]
    columns = ("id", ("last_seen_at", "last seen"), "items", "outlets", "claim_type", "title")
    print_table(shown, columns, empty="no incident: nothing was flagged", wide=("claim_type",))


@incidents.command(epilog=example("pollwatch incidents show 3"))
@click.argument("incident_id", metavar="ID", type=NUMBER)
@json_option
@pass_context
def show(context: Context, incident_id: int, as_json: bool) -> None:
    """Show an incident: its items and why each is there, its alerts, what may be the same claim, and who changed it.

    The id of a merged incident shows the one it was merged into.
    """
    from alerts import incidents as acts

    with context.store() as (store, _):
        found = acts.show(store, incident_id)
    _print(found, as_json=as_json)


@incidents.command(epilog=example('pollwatch incidents merge 7 3 --reason "the same recording, cut shorter"'))
@click.argument("incident_id", metavar="ID", type=NUMBER)
@click.argument("into", metavar="INTO", type=NUMBER)
@_reason_option
@_reviewer_option
@json_option
@pass_context
def merge(context: Context, incident_id: int, into: int, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Put every item of incident ID into incident INTO, where ID leads from then on.

    If both have an alert, the one further on is kept (held before open, decided before held) and the other is closed as
    a duplicate.
    """
    from alerts import incidents as acts

    with context.store() as (store, settings):
        found = acts.merge(store, settings, reviewer_name(reviewer), now(), incident_id, into, reason)
    _print(found, as_json=as_json)


@incidents.command(epilog=example('pollwatch incidents split 3 41 45 --reason "another polling station"'))
@click.argument("incident_id", metavar="ID", type=NUMBER)
@click.argument("items", metavar="ITEM...", type=NUMBER, nargs=-1, required=True)
@_reason_option
@_reviewer_option
@json_option
@pass_context
def split(
    context: Context, incident_id: int, items: tuple[int, ...], reason: str, reviewer: str | None, as_json: bool
) -> None:
    """Put some items of incident ID into a new one, which gets an alert of its own with the next pass."""
    from alerts import incidents as acts

    with context.store() as (store, _):
        found = acts.split(store, reviewer_name(reviewer), now(), incident_id, items, reason)
    _print(found, as_json=as_json)


def _print(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_object(found)
        return
    for line in _lines(found):
        click.echo(safe(line))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    merged = f", with {', '.join(map(str, found['merged_from']))}" if found["merged_from"] else ""
    sample = f"  sample: {found['sample']}" if found["sample"] else ""
    yield f"incident {found['id']}{merged}  {found['title']}"
    span = f"{cell(found['first_seen_at'])} to {cell(found['last_seen_at'])}"
    yield f"claim type {cell(found['claim_type'])}  seen {span}{sample}"
    for item in found["items"]:
        why = item["reason"] if item["reason"] != "same-claim" else f"same-claim {item['similarity']:.2f}"
        yield f"  item {item['id']}  {item['outlet']} ({why}): {item['title']}"
    for alert in found["alerts"]:
        decided = f", {alert['decision']} {alert['verdict'] or ''}".rstrip() if alert["decision"] else ""
        yield f"alert {alert['id']}  {alert['state']}{decided}"
    for other in found["related"]:
        yield f"possibly the same claim: incident {other['id']}  {other['similarity']:.2f}  {other['title']}"
    for entry in found["history"]:
        yield f"{cell(entry['at'])}  {entry['actor']}  {entry['action']}: {entry['detail'].get('reason', '')}"
