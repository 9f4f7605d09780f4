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
    spoken,
)
from monitor.invisible import safe
from monitor.language import _, term, used
from monitor.types import Feed, Lang, Role, Said

if TYPE_CHECKING:
    from monitor.check import Check
    from monitor.config import Settings

_COLUMNS = (
    ("id", Said("id")),
    ("outlet", Said("outlet")),
    ("role", Said("role")),
    ("lang", Said("lang")),
    ("health", Said("health")),
    ("failures", Said("failures")),
    ("last_success_at", Said("last success")),
    ("next_check_at", Said("next check")),
    ("note", Said("note")),
    ("url", Said("url")),
)
_WIDE = ("role", "lang", "failures", "last_success_at", "next_check_at")

despite_robots_option = click.option(
    "--despite-robots", is_flag=True, help="Fetch it though the robots.txt of its host asks not to."
)


@click.group()
def feeds() -> None:
    """The feeds that are watched."""


@feeds.command(epilog=example("pollwatch feeds add https://eso-harbour.example/rss.xml --role official --lang en"))
@click.argument("url")
@click.option("--outlet", help="Who publishes it; default: the host name.")
@click.option("--role", type=click.Choice([*map(str, Role)]), help="What kind of outlet; default: media.")
@click.option("--lang", type=click.Choice([*map(str, Lang)]), help="Its language.")
@click.option("--folder", help="The folder it is exported in; names with / between them.")
@click.option("--unchecked", is_flag=True, help="Do not look at the address, nor at its robots.txt, first.")
@despite_robots_option
@json_option
@pass_context
def add(
    context: Context, /, url: str, unchecked: bool, despite_robots: bool, as_json: bool, **given: str | None
) -> None:
    """Watch the feed at URL, or the one feed that the web page at URL names.

    The address is fetched once. One that gives no feed now is watched all the same and said so: it may be down. Of a
    page that names several feeds you are asked to choose. Added again, a feed is not fetched, and its outlet, role,
    language and folder are changed as given.
    """
    from monitor.guard import check_port, check_url
    from monitor.opml import folder_path
    from monitor.store import feeds as table

    url = _whole(url)
    with context.store() as (store, settings):
        check_port(check_url(url), settings.fetch.allow_ports)
        with store.read() as connection:
            known = table.find(connection, url)
        if known is None and not unchecked:
            url = _feed_at(url, settings, despite_robots)
        with store.write() as connection:
            feed, is_new = table.add(
                connection,
                url,
                now(),
                outlet=given["outlet"],
                role=Role(given["role"]) if given["role"] else None,
                lang=Lang(given["lang"]) if given["lang"] else None,
                folder=folder_path(given["folder"].split("/")) if given["folder"] else None,
            )
    if not is_new:
        say(f"feed {feed.id} was there already")
    elif not feed.enabled:
        say(f"feed {feed.id} is of a community and off; `pollwatch feeds enable {feed.id}` watches it")
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

    added = 0
    with context.store() as (store, settings):
        lines = opml.read(file, allow_ports=settings.fetch.allow_ports)
        with store.write() as connection:
            for line in lines:
                _, is_new = table.add(
                    connection,
                    line.url,
                    now(),
                    outlet=line.outlet,
                    role=line.role,
                    lang=line.lang,
                    enabled=line.enabled,
                    folder=line.folder,
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
    """Show every feed and its health, in a word and a note: ok, new, silent, clock-off, slow, malformed, html,
    failing, gone or disabled.
    """
    from monitor.store import feeds as table

    with context.store() as (store, settings), store.read() as connection:
        found = table.listing(connection)
    if as_json:
        print_lines(feed_json(feed, settings) for feed in found)
    else:
        empty = _("no feeds yet: `pollwatch feeds add URL` or `pollwatch feeds import FILE`")
        headed = [(key, _(heading.form)) for key, heading in _COLUMNS]
        print_table([_table_row(feed, settings) for feed in found], headed, empty=empty, wide=_WIDE)


@feeds.command(epilog=example("pollwatch feeds check https://harbour-daily.example/"))
@click.argument("url")
@despite_robots_option
@json_option
@pass_context
def check(context: Context, url: str, despite_robots: bool, as_json: bool) -> None:
    """Fetch URL once and say what would be stored; store nothing. Of a web page, name the feeds it offers.

    Ends with 1 when there is no feed at URL.
    """
    import asyncio

    from monitor.check import check as look

    found = asyncio.run(look(context.settings(), _whole(url), despite_robots=despite_robots))
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
    if report["elsewhere"]:
        say("{elsewhere} feeds were left to another pass, which is asking their hosts".format(**report))


def _table_row(feed: Feed, settings: Settings) -> dict[str, Any]:
    """In the language in use; in English words and codes as scripts read them, which people type."""
    from monitor.health import health, named

    row = feed_json(feed, settings)
    if used() is Lang.EN:
        return row
    how = health(feed, settings.calendar.zone)
    return {
        **row,
        "role": term("role", feed.role),
        "lang": term("lang", feed.lang),
        "health": named(how.word),
        "note": spoken(how.said) if how.said else "",
    }


def feed_json(feed: Feed, settings: Settings) -> dict[str, Any]:
    """A feed with the keys that scripts rely on; ``interval_s`` is the one that holds now, in seconds."""
    from monitor.health import health

    how = health(feed, settings.calendar.zone)
    return {
        "id": feed.id,
        "url": feed.url,
        "outlet": feed.outlet,
        "role": feed.role,
        "lang": feed.lang,
        "enabled": feed.enabled,
        "health": how.word,
        "last_success_at": feed.last_success_at,
        "next_check_at": feed.next_check_at if feed.enabled else None,
        "failures": feed.failures,
        "interval_s": _interval_s(feed) or settings.fetch.interval_s,
        "folder": feed.folder,
        "moved_to": feed.moved_to,
        "moved_since": feed.moved_since,
        "error": f"{feed.error_kind}: {feed.error_detail}" if feed.error_kind else feed.warning,
        "note": how.sentence,
    }


def _interval_s(feed: Feed) -> int | None:
    """The operator's, else the one between the last attempt and the next; None before the first."""
    if feed.interval_s is None and feed.last_attempt_at and feed.next_check_at:
        return round((feed.next_check_at - feed.last_attempt_at).total_seconds())
    return feed.interval_s


def check_json(found: Check) -> dict[str, Any]:
    """What a look at an address found, as one object."""
    fetched, document, error = found.fetched, found.document, found.error
    return {
        "ok": error is None,
        "url": found.url,
        "final_url": fetched.final_url if fetched else None,
        "moved_to": fetched.moved_to if fetched else None,
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


def _whole(url: str) -> str:
    """An address as people type it, or copy it from a button that says `feed:`. Raises InputError when it is half."""
    from monitor.errors import InputError
    from monitor.opml import without_feed_scheme

    bare = without_feed_scheme(url.strip())
    if not bare:
        raise InputError("URL", "no address; give one as https://harbour-daily.example/")
    if "://" not in bare:
        raise InputError(bare, f"no whole address; did you mean https://{bare.removeprefix('//')}")
    return bare


def _feed_at(url: str, settings: Settings, despite_robots: bool) -> str:
    """The address to watch for ``url``: itself, or the one feed of a page. Raises FeedError or InputError for none."""
    import asyncio

    from monitor.check import check as look
    from monitor.errors import FeedErrorKind, InputError

    found = asyncio.run(look(settings, url, despite_robots=despite_robots))
    if len(found.feeds) == 1:
        say(f"{url} is a web page; its feed is {found.feeds[0]}")
        url = found.feeds[0]
        found = asyncio.run(look(settings, url, despite_robots=despite_robots))
    if found.error is None:
        if found.fetched and found.fetched.moved_to:
            say(f"it moved for good to {found.fetched.moved_to}, its address once that has been so for some days")
        return url
    if found.feeds:
        listed = "\n".join(found.feeds)
        raise InputError(url, f"a web page with {len(found.feeds)} feeds; add the one you mean:\n{listed}")
    kind = found.error.kind
    if kind is FeedErrorKind.ROBOTS:
        raise InputError(url, f"{found.error.detail}; with --despite-robots it is added all the same")
    if kind is FeedErrorKind.BLOCKED:
        raise found.error
    say(f"no feed could be read there now ({kind}: {found.error.detail}); it is watched all the same")
    return url


def _print_check(found: Check) -> None:
    if found.error is not None:
        click.echo(safe(f"no feed: {found.error.detail} ({found.error.kind})"))
        for address in found.feeds:
            click.echo(safe(f"the page offers: {address}"))
        return
    report = check_json(found)
    count = len(report["items"])
    entries = "1 entry" if count == 1 else f"{count} entries"
    click.echo(safe(f"{report['title'] or '(no title)'}: {report['version']}, {entries}"))
    if report["moved_to"]:
        say(f"it moved for good to {report['moved_to']}")
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
