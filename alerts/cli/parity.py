"""`parity`: whether candidates and camps are treated alike."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from monitor.cli.base import (
    Context,
    cell,
    example,
    instant,
    json_option,
    now,
    pass_context,
    print_object,
    print_table,
    say,
    since_option,
    spoken,
)
from monitor.language import _, used

if TYPE_CHECKING:
    from alerts.parity import ParityRow


@click.command(epilog=example("pollwatch parity", "pollwatch parity --since 2027-03-01 --json | jq .warnings"))
@since_option
@click.option("--until", metavar="TIME", help="Up to this date or time; by default now.")
@json_option
@pass_context
def parity(context: Context, since: str | None, until: str | None, as_json: bool) -> None:
    """Compare how candidates and camps fare among the items seen since then, by default in the last seven days.

    ratio: how often what names this one was flagged in error (dismissed, or found true, opinion or satire) against what
    names the others, with an interval of 95 %. It warns outside 0.8 to 1.25, where there is enough to say so.
    """
    from alerts.parity import DAYS, read_parity

    with context.store() as (store, settings):
        zone = settings.calendar.zone
        end = instant(until, zone, "--until") if until else now()
        start = instant(since, zone) if since else end - timedelta(days=DAYS)
        found = read_parity(store, settings, start, end)
    if as_json:
        print_object({"since": start, "until": end, **found.as_json()})
        return
    click.echo(_("items seen from {start} to {end}").format(start=cell(start), end=cell(end)))
    for rows in (found.candidates, found.camps):
        _print(rows)
    for warning in found.warnings:
        say(f"! {spoken(warning)}")


def _print(rows: tuple[ParityRow, ...]) -> None:
    if not rows:
        return
    columns = (
        ("name", _("name")),
        ("items", _("items")),
        ("flagged", _("flagged")),
        ("decided_false", _("false")),
        ("dismissed", _("in error")),
        ("minutes", _("minutes to decision")),
        ("ratio", _("ratio")),
        ("interval", _("95 % interval")),
    )
    shown = [
        {
            **asdict(row),
            "name": row.called[used()],
            "minutes": None if row.decide_p50_s is None else row.decide_p50_s / 60,
            "interval": None if row.low is None else f"{row.low:.2f}–{row.high:.2f}",
        }
        for row in rows
    ]
    print_table(shown, columns, empty="")
