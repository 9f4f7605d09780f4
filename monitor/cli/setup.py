"""`init`, `db upgrade|check`: setting up a folder and keeping it sound."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.base import Context, example, json_option, pass_context, print_object, say


@click.command(epilog=example("pollwatch init harbour-election"))
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@json_option
def init(directory: Path, as_json: bool) -> None:
    """Write a working folder: configuration, feeds, watchlist, facts, routes and an empty store.

    Never overwrites: files that are there stay as they are.
    """
    from monitor.starter import write_starter

    written, kept = write_starter(directory)
    if as_json:
        print_object({"directory": str(directory), "written": written, "kept": kept})
        return
    for name in written:
        say(f"wrote {directory / name}")
    for name in kept:
        say(f"kept  {directory / name}")
    where = "" if directory == Path() else f"cd {directory} && "
    say(
        "Next: edit watchlist.toml and facts.toml, then\n"
        f"  {where}pollwatch feeds import feeds.opml\n"
        f"  {where}pollwatch run --once"
    )


@click.group()
def db() -> None:
    """Look after the store."""


@db.command("upgrade", epilog=example("pollwatch db upgrade"))
@json_option
@pass_context
def db_upgrade(context: Context, as_json: bool) -> None:
    """Create the store or bring its schema up to date; safe to run again."""
    from monitor.store import migrate, open_store

    settings = context.settings()
    store = open_store(settings.database_url, must_exist=False)
    try:
        version = migrate.upgrade(store)
        if as_json:
            print_object({"url": store.url, "schema": version})
        else:
            click.echo(f"{store.url} has schema {version}")
    finally:
        store.close()


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
