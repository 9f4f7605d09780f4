"""`clocks`: how long feeds, program and people take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

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
    since_option,
)

DAYS = 7


@click.command(epilog=example("pollwatch clocks", "pollwatch clocks --since 2027-03-07 --json | jq .legs.take.p90"))
@since_option
@json_option
@pass_context
def clocks(context: Context, since: str | None, as_json: bool) -> None:
    """Say how long each leg took for the alerts opened since then, by default in the last seven days.

    In minutes: half of them took p50 or less, nine of ten p90 or less. feed: published to first seen. flag: to the
    assessment. alert: to the alert. take: until somebody took it. decide: until it was decided. people: both. clarify:
    from there until readers were told. whole: first seen to clarified.
    """
    from alerts.legs import measure
    from monitor.store import passages

    with context.store() as (store, settings):
        moment = now()
        start = instant(since, settings.calendar.zone) if since else moment - timedelta(days=DAYS)
        with store.read() as connection:
            found = {"since": start, **measure(passages.between(connection, start, moment))}
    if as_json:
        print_object(found)
        return
    click.echo(f"{found['alerts']} alerts since {cell(start)}; minutes")
    columns = ("of", "leg", "lag", "n", "p50", "p90")
    print_table(_rows(found), columns, empty="no alert was opened in that time")


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    tables = [("all", found["legs"])]
    tables += [(value, legs) for group in found["by"].values() for value, legs in group.items()]
    for of, legs in tables:
        yield from ({"of": of, "leg": leg, **figures} for leg, figures in legs.items() if figures["n"])
