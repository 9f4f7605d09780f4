"""`clocks`: how long feeds, program and people take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click

from alerts.cli.show import coded
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
from monitor.language import _, ngettext, used
from monitor.types import Lang, Said

DAYS = 7
_COLUMNS = (
    ("of", Said("of")),
    ("leg", Said("leg")),
    ("lag", Said("lag")),
    ("n", Said("n")),
    ("p50", Said("p50")),
    ("p90", Said("p90")),
)
_LEGS = {
    "feed": Said("to first seen"),
    "flag": Said("to the assessment"),
    "alert": Said("to the alert"),
    "take": Said("until taken"),
    "decide": Said("until decided"),
    "people": Said("both by people"),
    "clarify": Said("until readers were told"),
    "whole": Said("first seen to clarified"),
}
_LAGS = {
    "feed": Said("of the feed"),
    "program": Said("of the program"),
    "people": Said("of people"),
    "all": Said("all"),
}


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
    count = found["alerts"]
    said = ngettext("{count} alert since {since}; minutes", "{count} alerts since {since}; minutes", count)
    click.echo(said.format(count=count, since=cell(start)))
    headed = [(key, _(heading.form)) for key, heading in _COLUMNS]
    print_table(_rows(found), headed, empty=_("no alert was opened in that time"))


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """In English with the words of the JSON, which one types."""
    tables = [(_("all"), found["legs"])]
    tables += [(coded(kind, value), legs) for kind, group in found["by"].items() for value, legs in group.items()]
    for of, legs in tables:
        for leg, figures in legs.items():
            if figures["n"]:
                lag = figures["lag"]
                named = (leg, lag) if used() is Lang.EN else (_(_LEGS[leg].form), _(_LAGS[lag].form))
                yield {**figures, "of": of, "leg": named[0], "lag": named[1]}
