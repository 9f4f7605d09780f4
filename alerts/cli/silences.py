"""`silences`: what nobody wants to see for a while, why, and until when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    cell,
    example,
    instant,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
    reviewer_name,
    say,
)
from monitor.invisible import safe
from monitor.language import _, ngettext
from monitor.types import Said

_COLUMNS = (
    ("id", Said("id")),
    ("ends_at", Said("ends at")),
    ("active", Said("active")),
    ("suppressed", Said("hid")),
    ("author", Said("author")),
    ("matchers", Said("hides")),
    ("reason", Said("reason")),
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
author_option = click.option("--author", metavar="NAME", help="Who wants it; else $POLLWATCH_REVIEWER, else the login.")


@click.group()
def silences() -> None:
    """Hide alerts for a while; each silence has an author, a reason and an end."""


@silences.command(
    epilog=example(
        'pollwatch silences add candidate=man-pui-lam claim_type=opinion-or-satire --for 4h --reason "a comedy show"',
        'pollwatch silences add incident=31 --until 2026-12-07T22:30 --reason "the court rules tonight" --dry-run',
    )
)
@click.argument("matchers", metavar="KEY=VALUE...", nargs=-1, required=True)
@click.option("--for", "length", metavar="4h", help="How long: minutes (m), hours (h) or days (d); at most 14 days.")
@click.option("--until", metavar="TIME", help="Until when; without an offset it is election time.")
@click.option("--reason", required=True, help="Why.")
@click.option("--dry-run", is_flag=True, help="Only say how many open alerts it would hide now.")
@author_option
@json_option
@pass_context
def add(
    context: Context,
    matchers: tuple[str, ...],
    length: str | None,
    until: str | None,
    reason: str,
    dry_run: bool,
    author: str | None,
    as_json: bool,
) -> None:
    """Hide the alerts for which every KEY has one of its VALUEs, now and until it ends.

    Keys are those of routes.toml (claim_type, lang, label, priority, candidate, constituency) and incident; a key given
    again takes any of its values. What somebody holds stays with them. All is back in the queue when the silence ends.
    """
    from alerts import silences as acts
    from alerts.suppression import SilenceMatchers

    if (length is None) == (until is None):
        raise click.UsageError("say how long: --for 4h, or --until TIME")
    wanted = SilenceMatchers.read(matchers)
    with context.store() as (store, settings):
        moment = now()
        ends_at = moment + _length(length) if length else instant(str(until), settings.calendar.zone, "--until")
        effect = acts.foresee(store, settings, wanted, moment)
        hides = {"would_hide": effect.open, "would_hide_p1": effect.urgent}
        if dry_run:
            row: dict[str, Any] = {"matchers": wanted.as_json(), "ends_at": ends_at}
        else:
            row = acts.add(store, settings, wanted, reviewer_name(author), reason, moment, ends_at)
    if as_json:
        print_object({**row, **hides})
    elif dry_run:
        said = ngettext("this would hide {count} alert now", "this would hide {count} alerts now", effect.open)
        click.echo(said.format(count=effect.open))
    else:
        said = ngettext(
            "silence {id} holds until {until} and hides {count} alert now",
            "silence {id} holds until {until} and hides {count} alerts now",
            row["hides"],
        )
        click.echo(said.format(id=row["id"], until=cell(row["ends_at"]), count=row["hides"]))
    if effect.urgent:
        said = ngettext("! {count} alert of them is P1", "! {count} alerts of them are P1", effect.urgent)
        say(said.format(count=effect.urgent))


@silences.command("list", epilog=example("pollwatch silences list", "pollwatch silences list --all --json"))
@click.option("--all", "every", is_flag=True, help="Those that are over too.")
@json_option
@pass_context
def list_silences(context: Context, every: bool, as_json: bool) -> None:
    """List silences, the next to end first, with how many alerts each of them ever hid."""
    from alerts import silences as acts

    with context.store() as (store, _settings):
        rows = acts.listing(store, now(), every=every)
    if as_json:
        print_lines(rows)
        return
    headed = [(key, _(heading.form)) for key, heading in _COLUMNS]
    table = [{**row, "matchers": _words(row["matchers"])} for row in rows]
    print_table(table, headed, empty=_("nothing is silenced"), wide=("active", "author"))


@silences.command(epilog=example('pollwatch silences expire 3 --reason "the show is over"'))
@click.argument("silence_id", metavar="ID", type=NUMBER)
@click.option("--reason", required=True, help="Why.")
@author_option
@json_option
@pass_context
def expire(context: Context, silence_id: int, reason: str, author: str | None, as_json: bool) -> None:
    """End a silence now; what it hid is back in the queue."""
    from alerts import silences as acts

    with context.store() as (store, settings):
        row = acts.expire(store, settings, silence_id, reviewer_name(author), reason, now())
    if as_json:
        print_object(row)
    else:
        hid = row["suppressed"]
        said = ngettext(
            "silence {id} is over; it hid {count} alert", "silence {id} is over; it hid {count} alerts", hid
        )
        click.echo(said.format(id=silence_id, count=hid))


def _length(given: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", given)
    if not found:
        raise click.BadParameter("not a length; try 30m, 4h or 2d", param_hint="--for")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _words(matchers: Mapping[str, list[str]]) -> str:
    return " ".join(f"{key}={safe('|'.join(words))}" for key, words in matchers.items())
