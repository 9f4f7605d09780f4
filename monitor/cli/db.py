"""`db …`: the store as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import Context, example, json_option, now, pass_context, print_object, say


@click.group()
def db() -> None:
    """Look after the store."""


@db.command("check", epilog=example("pollwatch db check"))
@json_option
@pass_context
def db_check(context: Context, as_json: bool) -> None:
    """Say whether the store fits this program and is sound; exit 1 when it is damaged."""
    from monitor.store import engine, migrate

    with context.store() as (store, _settings):
        version = migrate.check(store)
        problems = engine.integrity(store)
        if as_json:
            print_object({"url": store.url, "schema": version, "ok": not problems, "problems": problems})
        else:
            for problem in problems:
                click.echo(problem)
            if not problems:
                click.echo(f"{store.url} has schema {version} and is sound")
    if problems:
        raise SystemExit(1)


@db.command("backup", epilog=example("pollwatch db backup /backup/pollwatch-$(date +%F).db"))
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@pass_context
def db_backup(context: Context, file: Path, as_json: bool) -> None:
    """Write everything in the store to a new FILE, while the daemon works on.

    FILE is there once a store was restored from it, for a trial, that holds the same. It is a SQLite file, of whatever
    database. The configuration folder and the evidence are not in it.

    Ends with 1 when the audit chain is broken, in the store and so in FILE.
    """
    from monitor.store import backup

    with context.store() as (store, settings):
        made = backup.backup(store, file)
    kept = settings.path(settings.evidence.directory)
    evidence = str(kept) if kept.is_dir() else None
    if evidence:
        say(f"copy the evidence now, it is not in {file}: {evidence}")
    words = f"{file} holds {{rows}} rows and {{entries}} audit entries ({made['bytes']:,} bytes)"
    _report({**made, "evidence": evidence}, words, as_json)


@db.command("restore", epilog=example("pollwatch db restore /backup/pollwatch-2027-03-01.db"))
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Though the store has data; what it has is kept beside it.")
@json_option
@pass_context
def db_restore(context: Context, file: Path, replace: bool, as_json: bool) -> None:
    """Make the store what the backup FILE holds, brought up to this program's schema.

    FILE is read and checked as a whole before anything is changed. An old store is kept under another name: the file
    with .replaced_… at its end, or the PostgreSQL schema replaced_….

    Ends with 1 when the audit chain of FILE is broken.
    """
    from monitor.store import backup

    settings = context.settings()
    restored = backup.restore(file, settings.database_url, now(), replace=replace)
    if restored["kept"] and not as_json:
        say(f"what was there is kept as {restored['kept']}")
    _report(restored, f"{restored['url']} holds {{rows}} rows and {{entries}} audit entries", as_json)


@db.command("copy", epilog=example("pollwatch db copy postgresql://desk@db.example/pollwatch"))
@click.argument("url", metavar="URL")
@json_option
@pass_context
def db_copy(context: Context, url: str, as_json: bool) -> None:
    """Copy the store into the empty database at URL, every row or none; then let database.url name it.

    Stop the daemon first. Each row is compared with its copy. Leave the password out of URL and use ~/.pgpass: every
    user of this machine sees the words of a command.

    Ends with 1 when the audit chain is broken, in the store and so in the copy.
    """
    from monitor.store import backup

    with context.store() as (store, _settings):
        copied = backup.copy(store, url)
    _report(copied, f"{copied['url']} holds {{rows}} rows and {{entries}} audit entries", as_json)


@db.command("purge", epilog=example("pollwatch db purge --dry-run", "pollwatch db purge --json"))
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@json_option
@pass_context
def db_purge(context: Context, dry_run: bool, as_json: bool) -> None:
    """Remove what `[retention]` lets nobody keep any longer; the daemon does so once a day.

    Alerts, decisions and the audit stay. Evidence of what goes is cut out of its files. What still stands in the
    document of its feed stays until it is gone from there (listed).
    """
    from monitor.purge import purge

    with context.store() as (store, settings):
        report = purge(store, settings, now(), dry_run=dry_run)
    counts = report.counts
    for problem in report.problems:
        say(f"! {problem}")
    if as_json:
        print_object({"dry_run": dry_run, **counts})
        return
    click.echo(
        "items    {quiet} quiet, {dismissed} dismissed, {decided} decided; {listed} still listed".format(**counts)
    )
    click.echo("messages {messages}".format(**counts))
    if not dry_run:
        click.echo("evidence {evidence} files cut or removed".format(**counts))
    if dry_run:
        say("nothing was removed")


def _report(found: Mapping[str, Any], words: str, as_json: bool) -> None:
    if as_json:
        print_object(found)
    else:
        click.echo(words.format(rows=f"{sum(found['rows'].values()):,}", entries=f"{found['rows']['audit']:,}"))
    if found["audit_broken"]:
        say(f"the audit chain is broken: {found['audit_broken']}")
        raise SystemExit(1)
