"""``feeds`` and ``collect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    example,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
    say,
)
from monitor.invisible import safe
from monitor.types import Feed, Lang, Role

if TYPE_CHECKING:
    from monitor.collect import Check
    from monitor.config import Settings

_COLUMNS = (
    "id",
    "outlet",
    "role",
    "lang",
    "health",
    "failures",
    ("last_success_at", "last success"),
    ("next_check_at", "next check"),
    "error",
    "url",
)


@click.group()
def feeds() -> None:
    """The feeds that are watched."""


@feeds.command(epilog=example("pollwatch feeds add https://eso-harbour.example/rss.xml --role official --lang en"))
@click.argument("url")
@click.option("--outlet", help="Who publishes it; default: the host name.")
@click.option("--role", type=click.Choice([*map(str, Role)]), help="What kind of outlet; default: media.")
@click.option("--lang", type=click.Choice([*map(str, Lang)]), help="Its language.")
@json_option
@pass_context
def add(context: Context, url: str, outlet: str | None, role: str | None, lang: str | None, as_json: bool) -> None:
    """Watch the feed at URL; added again, its outlet, role and language are changed as given."""
    from monitor.guard import check_url
    from monitor.store import feeds as table

    url = url.strip()
    check_url(url)
    with context.store() as (store, settings), store.write() as connection:
        feed, is_new = table.add(
            connection,
            url,
            now(),
            outlet=outlet,
            role=Role(role) if role else None,
            lang=Lang(lang) if lang else None,
        )
    if not is_new:
        say(f"feed {feed.id} was there already")
    if as_json:
        print_object(feed_json(feed, settings))
    else:
        click.echo(safe(f"feed {feed.id}: {feed.outlet} ({feed.role})"))


@feeds.command("import", epilog=example("pollwatch feeds import feeds.opml"))
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_context
def import_(context: Context, file: Path, as_json: bool) -> None:
    """Watch every feed of an OPML FILE; those already there take what it says of them."""
    from monitor import opml
    from monitor.store import feeds as table

    lines = opml.read(file)
    added = 0
    with context.store() as (store, _), store.write() as connection:
        for line in lines:
            _, is_new = table.add(
                connection,
                line.url,
                now(),
                outlet=line.outlet,
                role=line.role,
                lang=line.lang,
                enabled=line.enabled,
            )
            added += is_new
    if as_json:
        print_object({"file": str(file), "feeds": len(lines), "added": added, "known": len(lines) - added})
    else:
        click.echo(f"{added} feeds added, {len(lines) - added} were there already")


@feeds.command(epilog=example("pollwatch feeds export > feeds.opml"))
@json_option
@pass_context
def export(context: Context, as_json: bool) -> None:
    """Write every feed as OPML to stdout."""
    from monitor import opml
    from monitor.store import feeds as table

    with context.store() as (store, settings), store.read() as connection:
        rows = table.listing(connection)
    if as_json:
        print_lines(feed_json(feed, settings) for feed in rows)
    else:
        click.echo(opml.write(rows), nl=False)


@feeds.command("list", epilog=example("pollwatch feeds list --json | jq 'select(.health == \"failing\")'"))
@json_option
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """Show every feed and its health: new, ok, malformed, failing or disabled."""
    from monitor.store import feeds as table

    with context.store() as (store, settings), store.read() as connection:
        rows = [feed_json(feed, settings) for feed in table.listing(connection)]
    if as_json:
        print_lines(rows)
    else:
        empty = "no feeds yet: `pollwatch feeds add URL` or `pollwatch feeds import FILE`"
        print_table(rows, _COLUMNS, empty=empty, wide=("role", "lang", "failures", "last_success_at", "next_check_at"))


@feeds.command(epilog=example("pollwatch feeds check https://harbour-daily.example/"))
@click.argument("url")
@json_option
@pass_context
def check(context: Context, url: str, as_json: bool) -> None:
    """Fetch URL once and say what would be stored; store nothing. Of a web page, name the feeds it offers.

    Ends with 1 when there is no feed at URL.
    """
    import asyncio

    from monitor import collect

    found = asyncio.run(collect.check(context.settings(), url.strip()))
    if as_json:
        print_object(check_json(found))
    else:
        _print_check(found)
    if found.error is not None:
        raise SystemExit(1)


@feeds.command(epilog=example("pollwatch feeds enable 3"))
@click.argument("feed_id", metavar="ID", type=NUMBER)
@json_option
@pass_context
def enable(context: Context, feed_id: int, as_json: bool) -> None:
    """Ask feed ID again, from the next pass on."""
    _set_enabled(context, feed_id, True, as_json)


@feeds.command(epilog=example("pollwatch feeds disable 3"))
@click.argument("feed_id", metavar="ID", type=NUMBER)
@json_option
@pass_context
def disable(context: Context, feed_id: int, as_json: bool) -> None:
    """Leave feed ID alone; what was collected stays."""
    _set_enabled(context, feed_id, False, as_json)


@click.command(epilog=example("pollwatch collect --all --json"))
@click.option("--all", "every", is_flag=True, help="Ask every enabled feed, due or not.")
@json_option
@pass_context
def collect(context: Context, every: bool, as_json: bool) -> None:
    """Ask the feeds that are due, once, and store what is new and what was edited."""
    from monitor.collect import collect as stage

    with context.store() as (store, settings):
        report = stage(store, settings, now(), every=every, progress=say).as_json()
    if not report["feeds"] and not every:
        say("no feed is due now; `--all` asks every one that is enabled")
    if as_json:
        print_object(report)
        return
    click.echo(
        "{feeds} feeds: {fetched} fetched, {not_modified} not modified, {unchanged} unchanged, {failed} failed\n"
        "{items_seen} entries: {items_new} new, {items_edited} edited ({bytes} bytes, {seconds} s)".format(**report)
    )


def feed_json(feed: Feed, settings: Settings) -> dict[str, Any]:
    """A feed with the keys that scripts rely on; ``interval_s`` is the one that holds, its own or the setting."""
    return {
        "id": feed.id,
        "url": feed.url,
        "outlet": feed.outlet,
        "role": feed.role,
        "lang": feed.lang,
        "enabled": feed.enabled,
        "health": feed.health,
        "last_success_at": feed.last_success_at,
        "next_check_at": feed.next_check_at,
        "failures": feed.failures,
        "interval_s": feed.interval_s or settings.fetch.interval_s,
        "error": f"{feed.error_kind}: {feed.error_detail}" if feed.error_kind else feed.warning,
    }


def check_json(found: Check) -> dict[str, Any]:
    """What a look at an address found, as one object."""
    fetched, document, error = found.fetched, found.document, found.error
    return {
        "ok": error is None,
        "url": found.url,
        "final_url": fetched.final_url if fetched else None,
        "error": {"kind": error.kind, "detail": error.detail} if error else None,
        "title": document.title if document else None,
        "version": document.version if document else None,
        "warning": document.warning if document else None,
        "bytes": len(fetched.body) if fetched else None,
        "items": [
            {"title": e.title, "summary": e.summary, "link": e.link, "guid": e.guid, "published_at": e.published_at}
            for e in (document.entries if document else ())
        ],
        "feeds": list(found.feeds),
    }


def _print_check(found: Check) -> None:
    if found.error is not None:
        click.echo(safe(f"no feed: {found.error.detail} ({found.error.kind})"))
        for address in found.feeds:
            click.echo(safe(f"the page offers: {address}"))
        return
    report = check_json(found)
    click.echo(safe(f"{report['title'] or '(no title)'}: {report['version']}, {len(report['items'])} entries"))
    if report["warning"]:
        say(report["warning"])
    print_table(report["items"][:10], [("published_at", "published"), "title", "link"], empty="no entries in it now")


def _set_enabled(context: Context, feed_id: int, enabled: bool, as_json: bool) -> None:
    from monitor.store import feeds as table

    with context.store() as (store, settings), store.write() as connection:
        feed = table.set_enabled(connection, feed_id, enabled)
    if as_json:
        print_object(feed_json(feed, settings))
    else:
        click.echo(safe(f"feed {feed.id}: {feed.outlet} is {'enabled' if enabled else 'disabled'}"))
