"""`worker`, and `db upgrade`, which makes the queue that workers share as well."""

from __future__ import annotations

import signal

import click

from monitor.cli.base import Context, example, json_option, now, pass_context, print_object, say
from monitor.errors import ConfigError


@click.command(epilog=example("pollwatch worker", "pollwatch worker --stages collect,assess --concurrency 4"))
@click.option(
    "--concurrency",
    type=click.IntRange(1, 12),  # each works on a connection of its own to the database
    default=8,
    show_default=True,
    help="Jobs at the same time; a pass over one part of the feeds is one.",
)
@click.option("--stages", metavar="NAMES", help="Only these, with commas between them. Default: all.")
@json_option
@pass_context
def worker(context: Context, concurrency: int, stages: str | None, as_json: bool) -> None:
    """Do what the daemon calls for, on any machine that reaches the PostgreSQL store, until SIGTERM."""
    from alerts.process import observed, teller

    with context.store() as (store, settings), observed(settings):
        if not settings.has_workers:
            mend = 'there is no work for workers: write engine = "procrastinate" under [workers]'
            raise ConfigError(settings.file, "workers.engine", mend)
        from alerts import pipeline, workers

        pipeline.check_files(settings)
        chosen = workers.chosen(stages, settings)
        if as_json:
            print_object({"stages": chosen, "concurrency": concurrency})
        if workers.work(store, settings, chosen, concurrency, teller(settings, say)) == signal.SIGINT:
            raise KeyboardInterrupt


@click.command("upgrade", epilog=example("pollwatch db upgrade"))
@click.option("--no-backup", is_flag=True, help="Without one: you have made it yourself.")
@json_option
@pass_context
def upgrade(context: Context, no_backup: bool, as_json: bool) -> None:
    """Create the store or bring its schema up to date, and the queue of its workers; safe to run again.

    Before a store that is there is changed, a backup of it is made beside it, named after its schema, from which the
    older program can restore it. Stop the daemon first.
    """
    from monitor.store import backup, migrate, open_store

    settings = context.settings()
    store = open_store(settings.database_url, must_exist=False)
    try:
        kept = None if no_backup else backup.before_upgrade(store, now())
        version = migrate.upgrade(store)
        if settings.has_workers:
            from alerts import workers

            workers.prepare(store)
        if as_json:
            print_object({"url": store.url, "schema": version, "backup": kept and str(kept)})
        else:
            if kept:
                say(f"as it was before it is kept as {kept}")
            click.echo(f"{store.url} has schema {version}")
    finally:
        store.close()
