"""``items``: what was collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    cell,
    example,
    instant,
    json_option,
    pass_context,
    print_lines,
    print_object,
    print_table,
    since_option,
)
from monitor.invisible import safe

if TYPE_CHECKING:
    from monitor.types import Item


@click.group()
def items() -> None:
    """What was collected."""


@items.command("list", epilog=example("pollwatch items list --since 2026-11-30T07:30 --feed 2 --json"))
@since_option
@click.option("--feed", "feed_id", type=NUMBER, metavar="ID", help="Only of this feed.")
@click.option("--limit", type=NUMBER, metavar="N", help="At most so many; default: all.")
@json_option
@pass_context
def list_(context: Context, since: str | None, feed_id: int | None, limit: int | None, as_json: bool) -> None:
    """Show items, the last seen first."""
    from monitor.store import feeds as feed_table
    from monitor.store import items as table

    with context.store() as (store, settings), store.read() as connection:
        start = instant(since, settings.calendar.zone) if since else None
        if feed_id is not None:
            feed_table.get(connection, feed_id)
        rows = [item_json(item) for item in table.listing(connection, since=start, feed_id=feed_id, limit=limit)]
    if as_json:
        print_lines(rows)
    else:
        columns = ("id", ("first_seen_at", "first seen"), "outlet", "lang", ("revisions", "edits"), "title")
        shown = [{**row, "title": row["title"] or row["summary"][:100]} for row in rows]
        print_table(shown, columns, empty="no items: `pollwatch collect` asks the feeds", wide=("lang", "revisions"))


@items.command(epilog=example("pollwatch items show 17"))
@click.argument("item_id", metavar="ID", type=NUMBER)
@json_option
@pass_context
def show(context: Context, item_id: int, as_json: bool) -> None:
    """Show item ID with its earlier texts and its assessment."""
    from monitor.store import items as table

    with context.store() as (store, _), store.read() as connection:
        row = item_json(table.get(connection, item_id))
        row["revisions"] = table.earlier_texts(connection, item_id)
        row["assessment"] = table.latest_assessment(connection, item_id)
    if as_json:
        print_object(row)
    else:
        _print_item(row)


def item_json(item: Item) -> dict[str, Any]:
    """An item with the keys that scripts rely on; ``revisions`` counts the earlier texts."""
    return {
        "id": item.id,
        "feed_id": item.feed_id,
        "outlet": item.outlet,
        "role": item.role,
        "guid": item.guid,
        "link": item.link,
        "title": item.title,
        "summary": item.summary,
        "published_at": item.published_at,
        "first_seen_at": item.first_seen_at,
        "edited_at": item.edited_at,
        "lang": item.lang,
        "revisions": item.revision,
    }


def _print_item(row: dict[str, Any]) -> None:
    click.echo(safe(row["title"] or "(no title)"))
    for key in ("outlet", "role", "lang", "published_at", "first_seen_at", "edited_at", "link"):
        click.echo(f"  {key.replace('_at', '').replace('_', ' ')}: {cell(row[key])}")
    click.echo("\n" + safe(row["summary"]))
    for earlier in row["revisions"]:
        click.echo(f"\nUntil {cell(earlier['replaced_at'])} it read: {safe(earlier['title'])}")
        click.echo(safe(earlier["summary"]))
        if earlier["link"] != row["link"]:
            click.echo(f"  link: {cell(earlier['link'])}")
    assessment = row["assessment"]
    if assessment:
        flag = "flagged" if assessment["flagged"] else "not flagged"
        click.echo(f"\n{flag}: {assessment['label']}, score {assessment['score']:.2f}, {assessment['stance']}")
        for reason in assessment["reasons"]:
            click.echo(f"  - {safe(reason['text'])}")
