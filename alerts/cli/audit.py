"""`audit`: who did what, and whether the record still holds."""

from __future__ import annotations

import json
from typing import Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    example,
    instant,
    json_option,
    pass_context,
    print_lines,
    print_object,
    print_table,
    since_option,
)


@click.group()
def audit() -> None:
    """Read the audit: every act in the queue, in a chain of hashes."""


@audit.command("list", epilog=example("pollwatch audit list --limit 20", "pollwatch audit list --since 2026-11-01"))
@since_option
@click.option("--limit", type=NUMBER, help="Only the newest so many.")
@json_option
@pass_context
def list_entries(context: Context, since: str | None, limit: int | None, as_json: bool) -> None:
    """List the entries in the order in which they were written."""
    from monitor.store import audit as entries

    with context.store() as (store, settings), store.read() as connection:
        start = instant(since, settings.calendar.zone) if since else None
        rows = entries.listing(connection, since=start, limit=limit)
    if as_json:
        print_lines(rows)
        return
    table: list[dict[str, Any]] = [{**row, "detail": json.dumps(row["detail"], ensure_ascii=False)} for row in rows]
    print_table(table, ["seq", "at", "actor", "action", "subject", "detail"], empty="the audit has no entry yet")


@audit.command(epilog=example("pollwatch audit verify"))
@json_option
@pass_context
def verify(context: Context, as_json: bool) -> None:
    """Check every entry against the chain; exit 1 and name the first one that is broken.

    A record whose whole end was cut off or rewritten fits itself again: compare the head hash printed here with the
    one in a digest that was sent before.
    """
    from monitor.store import audit as entries

    with context.store() as (store, _settings), store.read() as connection:
        breach = entries.verify(connection)
        seq, head = entries.head(connection)
    if as_json:
        broken = {"seq": breach.seq, "reason": breach.reason, "text": breach.text} if breach else None
        print_object({"ok": breach is None, "entries": seq, "hash": head, "broken": broken})
    elif breach:
        click.echo(breach.text)
    else:
        click.echo(f"{seq} entries, unbroken; head {head}")
    if breach:
        raise SystemExit(1)
