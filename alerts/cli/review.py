"""`alerts`, continued: what is put off, taken back, sent back or taken up again, and how well opinions agree."""

from __future__ import annotations

import click

from alerts.cli.queue import reviewer_option
from alerts.cli.show import coded
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
    print_result,
    print_table,
    reviewer_name,
    since_option,
)
from monitor.language import _

_id = click.argument("alert_id", metavar="ID", type=NUMBER)
_reason = click.option("--reason", default="", help="Why; required.")


@click.command(epilog=example('pollwatch alerts snooze 7 --until 2026-11-30T18:00 --reason "the office answers"'))
@_id
@click.option("--until", required=True, metavar="TIME", help="When it comes back; without an offset, election time.")
@_reason
@reviewer_option
@json_option
@pass_context
def snooze(context: Context, alert_id: int, until: str, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Put an alert off until a time, at most 14 days: it waits for nobody and is not escalated."""
    from alerts import queue

    with context.store() as (store, settings):
        end = instant(until, settings.calendar.zone, "--until")
        row = queue.snooze(store, settings, reviewer_name(reviewer), now(), alert_id, end, reason)
    done = _("alert {id} is snoozed until {until}").format(id=alert_id, until=cell(row["snoozed_until"]))
    print_result(row, as_json, done)


@click.command(epilog=example("pollwatch alerts wake 7"))
@_id
@reviewer_option
@json_option
@pass_context
def wake(context: Context, alert_id: int, reviewer: str | None, as_json: bool) -> None:
    """End a snooze now."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.wake(store, settings, reviewer_name(reviewer), now(), alert_id)
    print_result(row, as_json, _("alert {id} is back in the queue").format(id=alert_id))


@click.command(epilog=example("pollwatch alerts undo 7"))
@_id
@reviewer_option
@json_option
@pass_context
def undo(context: Context, alert_id: int, reviewer: str | None, as_json: bool) -> None:
    """Take back your own decision, within ten minutes of it: the alert is as it was before."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.undo(store, settings, reviewer_name(reviewer), now(), alert_id)
    values = {"id": alert_id, "state": coded("state", row["state"]), "until": cell(row["lease_expires_at"])}
    held = _("alert {id} is {state} again, yours until {until}")
    print_result(row, as_json, (held if row["holder"] else _("alert {id} is {state} again")).format(**values))


@click.command("send-back", epilog=example('pollwatch alerts send-back 7 --reason "the quote is from another speech"'))
@_id
@_reason
@reviewer_option
@json_option
@pass_context
def send_back(context: Context, alert_id: int, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Ask for a new first opinion, as the second reviewer or the lead who holds the alert."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.send_back(store, settings, reviewer_name(reviewer), now(), alert_id, reason)
    print_result(row, as_json, _("alert {id} is open again; no opinion on it stands").format(id=alert_id))


@click.command(epilog=example('pollwatch alerts reopen 7 --reason "the outlet has changed its story"'))
@_id
@_reason
@reviewer_option
@json_option
@pass_context
def reopen(context: Context, alert_id: int, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Take up a decided or closed alert again; its decision stands no more."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.reopen(store, settings, reviewer_name(reviewer), now(), alert_id, reason)
    print_result(row, as_json, _("alert {id} is open again; no opinion on it stands").format(id=alert_id))


@click.command(epilog=example("pollwatch alerts agreement --since 2026-11-01", "pollwatch alerts agreement --json"))
@since_option
@json_option
@pass_context
def agreement(context: Context, since: str | None, as_json: bool) -> None:
    """How often first and second opinions agree, by claim type and language, with Cohen's kappa.

    Kappa is 1 where they always agree and 0 where they agree as often as by chance; it is left out where both always
    say the same one thing.
    """
    from alerts import queue

    with context.store() as (store, settings):
        rows = queue.agreement(store, instant(since, settings.calendar.zone) if since else None)
    if as_json:
        print_lines(rows)
        return
    table = [{**row, "claim_type": row["claim_type"] or _("all"), "lang": row["lang"] or _("all")} for row in rows]
    print_table(table, ["claim_type", "lang", "pairs", "agreed", "kappa"], empty=_("no second opinion yet"))


COMMANDS = (snooze, wake, undo, send_back, reopen, agreement)
