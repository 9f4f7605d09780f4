"""`init`: setting up a folder."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.base import example, json_option, print_object, say


@click.command(epilog=example("pollwatch init harbour-election", "pollwatch init fjell-election --starter generic"))
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--starter",
    type=click.Choice(["hongkong", "generic"]),
    default="hongkong",
    show_default=True,
    help="generic: no feeds of a place, one language, time in UTC; for an election anywhere else.",
)
@json_option
def init(directory: Path, starter: str, as_json: bool) -> None:
    """Write a working folder: configuration, feeds, watchlist, facts, routes and an empty store.

    Never overwrites: files that are there stay as they are.
    """
    from monitor.starter import write_starter

    written, kept = write_starter(directory, starter)
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
