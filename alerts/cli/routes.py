"""`routes`: try out who would get an alert, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from alerts.cli.show import coded
from monitor.cli.base import Context, cell, example, instant, json_option, now, pass_context, print_object, spoken
from monitor.invisible import safe
from monitor.language import _

if TYPE_CHECKING:
    from alerts.naming import Naming


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
    from alerts.naming import load_naming
    from alerts.rehearsal import rehearse

    settings = context.settings()
    found = rehearse(settings, words, instant(at, settings.calendar.zone, "--at") if at else now())
    if as_json:
        print_object(found)
        return
    for line in _lines(found, load_naming(settings)):
        click.echo(safe(line))


def _lines(found: Mapping[str, Any], naming: Naming) -> Iterator[str]:
    yield _("{priority} opened {at}, phase {phase}").format(
        priority=found["priority"], at=cell(found["at"]), phase=coded("phase", found["phase"])
    )
    for number, way in enumerate(found["ways"]):
        form = _("told as well: {team}, on shift: {people}") if number else _("owner: {team}, on shift: {people}")
        yield form.format(team=naming.team(way["team"]), people=cell(found["on_shift"][way["team"]]))
        yield "  " + _("by {path}").format(path=" > ".join(way["path"]))
    yield _("to be taken by {take}, decided by {decide}").format(
        take=cell(found["take_due_at"]), decide=cell(found["decide_due_at"])
    )
    if found["clarify_due_at"]:
        yield _("a clarification drafted by {at}").format(at=cell(found["clarify_due_at"]))
    yield _("if nobody acts:")
    for step in found["steps"]:
        yield "  " + _step(step, naming)
    if not found["steps"]:
        yield "  " + _("nothing: no step is set for this priority")


def _step(step: Mapping[str, Any], naming: Naming) -> str:
    said = _("{at}  level {level}  {reason}: tells {teams} ({people})").format(
        at=cell(step["at"]),
        level=step["level"],
        reason=spoken(step["reason"]),
        teams=cell(list(map(naming.team, step["teams"]))),
        people=cell(step["people"]),
    )
    if not step["repeat"]:
        return said
    again = _("again every {minutes} minutes, {times} times")
    return _("{line}, {more}").format(line=said, more=again.format(minutes=step["repeat"], times=step["times"]))
