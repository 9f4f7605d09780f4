"""`notify`: who is told of alerts, whether it works, and how it stands."""

from __future__ import annotations

import click

from monitor.cli.base import (
    Context,
    example,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
)


@click.group()
def notify() -> None:
    """Receivers, who are told of alerts: [[receiver]] in routes.toml."""


@notify.command("list", epilog=example("pollwatch notify list", "pollwatch notify list --json"))
@json_option
@pass_context
def list_receivers(context: Context, as_json: bool) -> None:
    """List the receivers, what they were sent and what waits for them."""
    from alerts.routing import load_routes
    from monitor.store import outbox

    with context.store() as (store, settings):
        receivers = load_routes(settings).receiver
        with store.read() as connection:
            standing = outbox.standing(connection)
    nothing = {"sent": 0, "unsent": 0, "waiting": 0, "last_sent_at": None, "last_error": None}
    rows = [
        {
            "name": each.name,
            "teams": list(each.teams),
            "min_priority": each.min_priority,
            "kinds": list(each.kinds),
            "lang": each.lang,
            **{key: standing.get(each.name, {}).get(key, value) for key, value in nothing.items()},
        }
        for each in receivers
    ]
    if as_json:
        print_lines(rows)
        return
    columns = ["name", "teams", "min_priority", "sent", "unsent", "waiting", "last_sent_at", "last_error"]
    print_table(rows, columns, empty="routes.toml names no receiver")


@notify.command("test", epilog=example("pollwatch notify test night-desk"))
@click.argument("name")
@json_option
@pass_context
def test(context: Context, name: str, as_json: bool) -> None:
    """Send a test to one receiver; exit 1 when its service does not take it."""
    from alerts.notify import send_test
    from monitor.errors import NoticeError

    try:
        key, problem = send_test(context.settings(), name, now()), None
    except NoticeError as error:
        if not as_json:
            raise
        key, problem = None, str(error)
    if as_json:
        print_object({"receiver": name, "sent": problem is None, "key": key, "problem": problem})
    else:
        click.echo(f"receiver {name} took the test {key}")
    if problem:
        raise SystemExit(1)
