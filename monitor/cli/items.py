"""``items``: what was collected."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

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
    say,
    since_option,
)
from monitor.invisible import safe
from monitor.types import TextKind

if TYPE_CHECKING:
    from monitor.types import Item, SearchHit


@click.group()
def items() -> None:
    """What was collected and reported: list, show, search; take in a tip."""


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


@items.command(
    epilog=example(
        "pollwatch items search 投票 候選人",
        "pollwatch items search '\"polling station\" closed' --since 2026-11-30 --json",
        "pollwatch items search leaflet --kind note",
    )
)
@click.argument("words", nargs=-1, required=True)
@since_option
@click.option("--feed", "feed_id", type=NUMBER, metavar="ID", help="Only items of this feed.")
@click.option("--outlet", metavar="NAME", help="Only items of this outlet, written as `items list` has it.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in TextKind]),
    help="Only items as they read now, earlier texts, notes or decisions.",
)
@click.option("--limit", type=NUMBER, metavar="N", default=50, help="At most so many; default: 50.")
@click.option("--before", type=NUMBER, metavar="NUMBER", help="What follows the hit with this `number` (--json).")
@json_option
@pass_context
def search(  # noqa: PLR0913, PLR0917 - one for each option
    context: Context,
    words: tuple[str, ...],
    since: str | None,
    feed_id: int | None,
    outlet: str | None,
    kind: str | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """Find WORDS in items, their earlier texts, notes and reasons of decisions, the newest first.

    All words must be there, in any order; words in quotation marks in this one. Traditional finds Simplified, capitals
    and full-width forms make no difference; an English word is found by its beginning, Chinese anywhere.
    """
    from monitor.search import search as find
    from monitor.store import feeds as feed_table

    with context.store() as (store, settings):
        with store.read() as connection:
            feed_ids = [feed_table.get(connection, feed_id).id] if feed_id is not None else None
            if outlet is not None:
                of_outlet = feed_table.of_outlet(connection, outlet)
                feed_ids = [found for found in of_outlet if feed_ids is None or found in feed_ids]
        hits = find(
            store,
            " ".join(words),
            limit=limit,
            before=before,
            since=instant(since, settings.calendar.zone) if since else None,
            feed_ids=feed_ids,
            kind=TextKind(kind) if kind else None,
        )
    if as_json:
        print_lines(map(_hit_json, hits))
        return
    columns = (("at", "when"), "kind", "outlet", ("item_id", "item"), ("alert_id", "alert"), "title", "excerpt")
    print_table(map(asdict, hits), columns, empty="nothing found", wide=("kind", "alert_id"))
    if len(hits) == limit:
        say(f"for what is older: --before {hits[-1].number}")


@items.command(
    epilog=example(
        "pollwatch items add --url https://harbour-rumours.example/post/5 --from hotline",
        "pollwatch items add --text 'A leaflet says that the polls close at 20:00.' --from colleague --json",
    )
)
@click.option("--url", metavar="URL", help="Where it was seen. Without --text its page is read once.")
@click.option("--text", help="What it says, in its own words.")
@click.option("--title", help="A headline; default: that of the page.")
@click.option("--from", "source", required=True, metavar="CHANNEL", help="How it came in, of `tips.channels`; no name.")
@json_option
@pass_context
def add(context: Context, url: str | None, text: str | None, title: str | None, source: str, as_json: bool) -> None:
    """Take in a tip: what a hotline or a colleague reports. It takes the way of every item, and is marked as a tip.

    Who told it is not kept. The same address or text again is the same item.
    """
    from monitor.store import items as table
    from monitor.tips import add_tip

    with context.store() as (store, settings):
        tip = add_tip(store, settings, now(), url=url, text=text, title=title, source=source)
        with store.read() as connection:
            row = item_json(table.get(connection, tip.item_id))
    if tip.problem:
        say(tip.problem)
    if as_json:
        print_object({**row, "new": tip.is_new, "problem": tip.problem})
    else:
        click.echo(f"item {tip.item_id}" + ("" if tip.is_new else ", which was reported before"))


@items.command(epilog=example("pollwatch items reindex"))
@json_option
@pass_context
def reindex(context: Context, as_json: bool) -> None:
    """Build what `items search` rests on anew; needed only when it finds too little."""
    from monitor.search import rebuild

    with context.store() as (store, _):
        count = rebuild(store, lambda numbered: say(f"{numbered} texts …"))
    if as_json:
        print_object({"texts": count})
    else:
        click.echo(f"{count} texts can be searched")


def _hit_json(hit: SearchHit) -> dict[str, Any]:
    """The item with the keys of `items list`, if there is one; title and excerpt are of the text that was found."""
    row = item_json(hit.item) if hit.item else {}
    found = {"kind": hit.kind, "alert_id": hit.alert_id, "at": hit.at, "excerpt": hit.excerpt, "number": hit.number}
    return {"id": hit.item_id, **row, "title": hit.title, **found}


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
        "tip": item.tip,
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
