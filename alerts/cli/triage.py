"""`triage`: the desk."""

from __future__ import annotations

import sys

import click

from alerts.cli.queue import reviewer_option
from monitor.cli.base import (
    NUMBER,
    Context,
    example,
    json_option,
    make_console,
    now,
    pass_context,
    print_lines,
    reviewer_name,
    say,
)


@click.command(
    epilog=example(
        "pollwatch triage",
        "pollwatch --language zh-Hant triage --light",
        "pollwatch triage --plain --limit 10",
    )
)
@click.option("--light", is_flag=True, help="Dark words on a light screen.")
@click.option("--plain", is_flag=True, help="Print the queue, one sentence an alert, and end.")
@click.option("--limit", type=NUMBER, help="With --plain or --json: at most so many.")
@reviewer_option
@json_option
@pass_context
def triage(
    context: Context,
    light: bool,
    plain: bool,
    limit: int | None,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """Work through the queue on a full screen; `?` shows the keys.

    NO_COLOR leaves out all colour. With --plain the queue is printed for a screen reader, with --json for a script; all
    that the desk does, `pollwatch alerts` does by line.
    """
    from rich.text import Text

    from alerts import queue
    from alerts.acts import person

    me = person(reviewer_name(reviewer))
    with context.store() as (store, settings):
        if as_json:
            print_lines(queue.listing(store, limit=limit, now=now()))
            return
        from alerts.naming import load_naming
        from alerts.triage import columns
        from alerts.triage.session import Session

        session = Session(store, settings, me, naming=load_naming(settings))
        if plain:
            rows = queue.listing(store, limit=limit, now=now())
            console = make_console()
            for row in rows:
                console.print(Text(columns.tell(row, session, now())), soft_wrap=True)
            if not rows:
                say("nothing waits for a person")
            return
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError("the desk needs a terminal; --plain prints the queue")
        from alerts.triage.app import sit_down

        ended = sit_down(session, dark=not light)
    if ended:
        raise click.exceptions.Exit(ended)
