"""`audit`: who did what, and whether the record still holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
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

FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # before any store


@click.group()
def audit() -> None:
    """Read the audit: every act in the queue, in a chain of hashes."""


@audit.command("list", epilog=example("pollwatch audit list --limit 20", "pollwatch audit list --since 2026-11-01"))
@since_option
@click.option("--limit", type=NUMBER, help="Only the newest so many.")
@json_option
@pass_context
def list_entries(context: Context, since: str | None, limit: int | None, as_json: bool) -> None:
    """List the entries in the order in which they were written.

    What was decided on an alert that waits for a second opinion is left out until that is given; `audit export` has it.
    """
    from alerts import opinions
    from monitor.store import alerts, decisions
    from monitor.store import audit as entries

    with context.store() as (store, settings), store.read() as connection:
        start = instant(since, settings.calendar.zone) if since else None
        blind = {alerts.subject(id) for id in decisions.awaited(connection)}
        rows = opinions.without_told(entries.listing(connection, since=start, limit=limit), blind)
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


@audit.command(
    epilog=example(
        "pollwatch audit export record",
        "pollwatch audit export week.zip --since 2026-11-30",
        "pollwatch audit export pack.zip --oversight --since 2027-03-01 --until 2027-03-15",
    )
)
@click.argument("target", metavar="DIR|FILE.zip", type=click.Path(path_type=Path))
@since_option
@click.option("--until", metavar="TIME", help="With --oversight: up to this date or time; by default now.")
@click.option("--oversight", is_flag=True, help="Write a pack with which an outsider can check a period.")
@json_option
@pass_context
def export(
    context: Context, target: Path, since: str | None, until: str | None, oversight: bool, as_json: bool
) -> None:
    """Write entries, the texts and bytes behind them and a manifest of hashes; exit 1 when any of it is broken.

    audit.jsonl holds the entries, items.jsonl each item of the alerts they speak of, with its earlier texts and the
    SHA-256 of each text, evidence.jsonl what was captured of it, with the headers of the answer and the SHA-256 of the
    bytes, which are in raw. Nothing is overwritten.

    A pack for oversight holds counts, decisions with reasons, silences, clarifications, parity, the cards of models and
    the whole audit, with verify.py, which checks them with nothing but Python.
    """
    from alerts.export import export as write

    if oversight:
        _export_pack(context, target, since, until, as_json=as_json)
        return
    if until:
        raise click.UsageError("--until goes with --oversight")
    with context.store() as (store, settings):
        start = instant(since, settings.calendar.zone) if since else None
        manifest = write(store, settings, target, start, now())
    if as_json:
        print_object(manifest)
    else:
        click.echo(f"wrote {manifest['entries']} entries and {manifest['items']} items to {target}")
        for name, facts in manifest["files"].items():
            click.echo(f"{facts['sha256']}  {name}")
    broken = [*([manifest["broken"]["text"]] if manifest["broken"] else []), *manifest["raw_bytes"]["broken"]]
    for sentence in broken:
        say(f"! {sentence}")
    if broken:
        raise SystemExit(1)


def _export_pack(context: Context, target: Path, since: str | None, until: str | None, *, as_json: bool) -> None:
    from alerts import oversight

    with context.store() as (store, settings):
        zone, moment = settings.calendar.zone, now()
        start = instant(since, zone) if since else FIRST
        end = instant(until, zone, "--until") if until else moment
        manifest = oversight.export(store, settings, target, start, end, moment)
    if as_json:
        print_object(manifest)
    else:
        click.echo(
            f"wrote {manifest['decisions']} decisions and the audit to {target}; head {manifest['audit']['hash']}"
        )
    if manifest["broken"]:
        say(f"! {manifest['broken']['text']}")
        raise SystemExit(1)
