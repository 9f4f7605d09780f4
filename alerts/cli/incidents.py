"""`incidents`: what carries one claim, and who says that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from alerts.cli.show import coded
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
from monitor.language import _
from monitor.types import Said

_COLUMNS = (
    ("id", Said("id")),
    ("last_seen_at", Said("last seen")),
    ("items", Said("items")),
    ("outlets", Said("outlets")),
    ("claim_type", Said("claim type")),
    ("title", Said("title")),
)
_REASONS = {
    "first": Said("first"),
    "copy": Said("copy"),
    "same-claim": Said("same claim"),
    "split": Said("split off"),
}
_ACTIONS = {
    "incident.merge": Said("merged it into {into}: {reason}"),
    "incident.split": Said("split off {into}: {reason}"),
}
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
    shown = [
        {
            **row,
            "items": len(row["items"]),
            "outlets": len(row["outlets"]),
            "claim_type": coded("claim_type", row["claim_type"]),
        }
        for row in rows
    ]
    headed = [(key, _(heading.form)) for key, heading in _COLUMNS]
    print_table(shown, headed, empty=_("no incident: nothing was flagged"), wide=("claim_type",))


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
    merged = found["merged_from"]
    named = _("incident {id}, with {merged}") if merged else _("incident {id}")
    yield f"{named.format(id=found['id'], merged=cell(merged))}  {found['title']}"
    span = _("{start} to {end}").format(start=cell(found["first_seen_at"]), end=cell(found["last_seen_at"]))
    kind = coded("claim_type", found["claim_type"])
    sample = "  " + _("sample: {sample}").format(sample=found["sample"]) if found["sample"] else ""
    yield _("claim type {claim_type}  seen {span}").format(claim_type=kind, span=span) + sample
    for item in found["items"]:
        yield _("  item {id}  {outlet} ({why}): {title}").format(
            id=item["id"], outlet=item["outlet"], why=_why(item), title=item["title"]
        )
    for alert in found["alerts"]:
        parts = [coded("state", alert["state"])]
        parts += [coded(kind, alert[kind]) for kind in ("decision", "verdict") if alert[kind]]
        yield _("alert {id}  {told}").format(id=alert["id"], told=_(", ").join(parts))
    alike = _("possibly the same claim: incident {id}  {similarity:.2f}  {title}")
    yield from (alike.format(**other) for other in found["related"])
    for entry in found["history"]:
        yield f"{cell(entry['at'])}  {entry['actor']}  {_act(entry)}"


def _why(item: Mapping[str, Any]) -> str:
    """Why an item is in its incident."""
    reason = _(_REASONS[item["reason"]].form) if item["reason"] in _REASONS else item["reason"]
    return f"{reason} {item['similarity']:.2f}" if item["reason"] == "same-claim" else reason


def _act(entry: Mapping[str, Any]) -> str:
    """What somebody did with an incident."""
    form, detail = _ACTIONS.get(entry["action"]), entry["detail"]
    if form is None:
        return f"{entry['action']}: {detail.get('reason', '')}"
    return _(form.form).format(into=detail["into"], reason=detail["reason"])
