"""`routes`: try out who would get an alert, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from monitor.cli.base import Context, cell, example, instant, json_option, now, pass_context, print_object
from monitor.invisible import safe


@click.group()
def routes() -> None:
    """Look after the routes of alerts."""


@routes.command(
    epilog=example(
        "pollwatch routes test claim_type=scam-lure lang=en",
        "pollwatch routes test priority=P1 lang=zh-Hant --at 2027-03-07T02:30",
    )
)
@click.argument("words", metavar="KEY=VALUE...", nargs=-1, required=True)
@click.option("--at", metavar="TIME", help="When it would be opened; default now, without an offset election time.")
@json_option
@pass_context
def test(context: Context, words: tuple[str, ...], at: str | None, as_json: bool) -> None:
    """Say who would get an alert with these traits and when, down to the last escalation.

    Keys are those of the matchers in routes.toml: claim_type, lang, label, priority, candidate, constituency; commas
    stand between several values. Nothing is stored and nobody is told.
    """
    from alerts.rehearsal import rehearse

    settings = context.settings()
    found = rehearse(settings, words, instant(at, settings.calendar.zone, "--at") if at else now())
    if as_json:
        print_object(found)
        return
    for line in _lines(found):
        click.echo(safe(line))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['priority']} opened {cell(found['at'])}, phase {found['phase']}"
    for number, way in enumerate(found["ways"]):
        on = found["on_shift"][way["team"]]
        yield f"{'told as well' if number else 'owner'}: {way['team']}, on shift: {cell(on)}"
        yield f"  by {' > '.join(way['path'])}"
    yield f"to be taken by {cell(found['take_due_at'])}, decided by {cell(found['decide_due_at'])}"
    if found["clarify_due_at"]:
        yield f"a clarification drafted by {cell(found['clarify_due_at'])}"
    yield "if nobody acts:"
    for step in found["steps"]:
        again = f", again every {step['repeat']} minutes, {step['times']} times" if step["repeat"] else ""
        to = f"{cell(step['teams'])} ({cell(step['people'])}){again}"
        yield f"  {cell(step['at'])}  level {step['level']}  {step['reason']}: tells {to}"
    if not found["steps"]:
        yield "  nothing: no step is set for this priority"
