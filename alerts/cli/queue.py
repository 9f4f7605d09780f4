"""`alerts`: the queue by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import click

from monitor.cli.base import (
    NUMBER,
    Context,
    cell,
    example,
    json_option,
    make_console,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
    reviewer_name,
    say,
)
from monitor.invisible import safe
from monitor.types import LIVE, AlertState, Decision, Verdict


def _one_of(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


reviewer_option = click.option("--reviewer", metavar="NAME", help="Who acts; else $POLLWATCH_REVIEWER, else the login.")


@click.group()
def alerts() -> None:
    """Work through the queue: list, take, decide."""


@alerts.command("list", epilog=example("pollwatch alerts list", "pollwatch alerts list --priority P1 --json"))
@click.option("--state", "states", multiple=True, type=_one_of(AlertState), help="Only this state; may be repeated.")
@click.option(
    "--all", "every", is_flag=True, help="Decided and closed ones too; default: those that wait for a person."
)
@click.option("--mine", is_flag=True, help="Only those that I hold.")
@click.option(
    "--priority", type=click.Choice(["P1", "P2", "P3", "P4"], case_sensitive=False), help="Only this priority."
)
@click.option("--limit", type=NUMBER, help="At most so many, the most urgent first.")
@reviewer_option
@json_option
@pass_context
def list_alerts(
    context: Context,
    states: tuple[str, ...],
    every: bool,
    mine: bool,
    priority: str | None,
    limit: int | None,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """List alerts, the most urgent first."""
    from alerts import queue

    with context.store() as (store, _settings):
        moment = now()
        rows = queue.listing(
            store,
            states=[AlertState(state) for state in states] or (tuple(AlertState) if every else LIVE),
            holder=reviewer_name(reviewer) if mine else None,
            priority=int(priority[1]) if priority else None,
            limit=limit,
            now=moment,
        )
    if as_json:
        print_lines(rows)
        return
    table = [{**row, "due": _relative(row, moment), "spread": f"{row['items']}/{len(row['outlets'])}"} for row in rows]
    columns = (
        "id",
        ("priority", "pri"),
        "due",
        "level",
        "state",
        "claim_type",
        ("matches", "about"),
        ("spread", "items/outlets"),
        "holder",
        "title",
    )
    asked = f"no alert is {' or '.join(states)}" if states else "nothing waits for a person"
    print_table(table, columns, empty=asked, wide=("level", "state", "matches", "spread"))


@alerts.command(epilog=example("pollwatch alerts show 7"))
@click.argument("alert_id", metavar="ID", type=NUMBER)
@json_option
@pass_context
def show(context: Context, alert_id: int, as_json: bool) -> None:
    """Show the claim, why it is here, where it was published, and who did what with it."""
    from alerts import queue

    with context.store() as (store, _settings):
        moment = now()
        found = queue.show(store, alert_id, moment)
    if as_json:
        print_object(found)
    else:
        _print_alert(found, moment)


@alerts.command(epilog=example("pollwatch alerts take", "pollwatch alerts take 7"))
@click.argument("alert_id", metavar="[ID]", type=NUMBER, required=False)
@reviewer_option
@json_option
@pass_context
def take(context: Context, alert_id: int | None, reviewer: str | None, as_json: bool) -> None:
    """Hold an alert for one lease; without ID, the most urgent that is free."""
    from alerts import queue

    with context.store() as (store, settings):
        moment = now()
        row = queue.take(store, settings, reviewer_name(reviewer), moment, alert_id)
        if as_json:
            print_object(row)
            return
        _print_alert(queue.show(store, row["id"], moment), moment)
    say(f"yours until {cell(row['lease_expires_at'])}; next: pollwatch alerts decide {row['id']} --decision …")


@alerts.command(epilog=example("pollwatch alerts renew 7"))
@click.argument("alert_id", metavar="ID", type=NUMBER)
@reviewer_option
@json_option
@pass_context
def renew(context: Context, alert_id: int, reviewer: str | None, as_json: bool) -> None:
    """Hold an alert for another lease, from now."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.renew(store, settings, reviewer_name(reviewer), now(), alert_id)
    if as_json:
        print_object(row)
    else:
        click.echo(f"alert {alert_id} is yours until {cell(row['lease_expires_at'])}")


@alerts.command(epilog=example("pollwatch alerts release 7", 'pollwatch alerts release 7 --reason "shift ended"'))
@click.argument("alert_id", metavar="ID", type=NUMBER)
@click.option("--reason", default="", help="Why; required for an alert that somebody else holds.")
@reviewer_option
@json_option
@pass_context
def release(context: Context, alert_id: int, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Give an alert back to the queue."""
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.release(store, settings, reviewer_name(reviewer), now(), alert_id, reason)
    if as_json:
        print_object(row)
    else:
        click.echo(f"alert {alert_id} is open again")


@alerts.command(
    epilog=example(
        'pollwatch alerts decide 7 --decision clarify --verdict false --reason "the roster still has her"',
        "pollwatch alerts decide 8 --decision dismiss --reason satire",
    )
)
@click.argument("alert_id", metavar="ID", type=NUMBER)
@click.option("--decision", required=True, type=_one_of(Decision))
@click.option("--verdict", type=_one_of(Verdict), help="The finding about the claim; clarify needs one.")
@click.option(
    "--reason",
    default="",
    help="Why. To dismiss: not-false, opinion, satire, duplicate-story, not-election or other; words may follow after "
    "a colon.",
)
@reviewer_option
@json_option
@pass_context
def decide(
    context: Context,
    alert_id: int,
    decision: str,
    verdict: str | None,
    reason: str,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """Decide an alert that you hold. Nothing is published by it."""
    from alerts import queue

    finding = Verdict(verdict) if verdict else None
    with context.store() as (store, settings):
        row = queue.decide(
            store, settings, reviewer_name(reviewer), now(), alert_id, Decision(decision), finding, reason
        )
    if as_json:
        print_object(row)
    else:
        click.echo(f"alert {alert_id} is {row['state']}: {decision}{f', {verdict}' if verdict else ''}")


def _relative(row: Mapping[str, Any], moment: datetime) -> str:
    """Time left until the clock that runs for an alert, with a minus sign when it is past."""
    if row["due_at"] is None or row["state"] not in LIVE:
        return "-"
    minutes = int((row["due_at"] - moment).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    span = f"{hours}h{rest:02}" if hours else f"{rest}m"
    return f"-{span}" if row["due_at"] < moment else f"+{span}"


def _print_alert(found: Mapping[str, Any], moment: datetime) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console = make_console()
    for line in _lines(found, moment):
        words = safe(line).lstrip()
        console.print(Padding(Text(words), (0, 0, 0, len(line) - len(line.lstrip())), expand=False))


def _lines(found: Mapping[str, Any], moment: datetime) -> Iterator[str]:
    held = f", held by {found['holder']} until {cell(found['lease_expires_at'])}" if found["holder"] else ""
    yield f"alert {found['id']}  {found['priority']}  level {found['level']}  {found['state']}{held}"
    yield f"due {_relative(found, moment)}  score {found['score']:.2f}  route {found['route']}  lang {found['lang']}"
    yield ""
    yield found["title"]
    yield f"claim type {cell(found['claim_type'])}  about {cell(found['matches'])}  looks like {cell(found['label'])}"
    yield from _section("Why", [str(reason) for reason in found["reasons"]])
    yield from _section(
        "What rules found", [f"{f['text']} “{f['evidence']}” rests on {f['rests_on']}" for f in found["findings"]]
    )
    items = found["incident"]["items"]
    outlets = f"{len(found['outlets'])} outlet{'s' if len(found['outlets']) != 1 else ''}"
    yield from _section(f"Published ({len(items)} in {outlets})", [line for item in items for line in _item(item)])
    related = [
        f"incident {other['id']}  {other['similarity']:.2f}  {other['title']}" for other in found["incident"]["related"]
    ]
    yield from _section("Possibly the same claim", related)
    decided = [
        f"{cell(d['at'])}  {d['reviewer']}: {d['decision']}{' ' + d['verdict'] if d['verdict'] else ''}: {d['reason']}"
        for d in found["decisions"]
    ]
    yield from _section("Decisions", decided)
    yield from _section("History", [_entry(entry) for entry in found["history"]])


def _item(item: Mapping[str, Any]) -> Iterator[str]:
    when = cell(item["published_at"] or item["first_seen_at"])
    yield f"{when}  {item['outlet']} ({item['role']}, {cell(item['stance'])}): {item['title']}"
    if item["summary"] and item["summary"] != item["title"]:
        yield f"    {item['summary'][:400]}"
    if item["link"]:
        yield f"    {item['link']}"
    for earlier in item["revisions"]:
        yield f"    until {cell(earlier['replaced_at'])} it read: {earlier['title']} {earlier['summary'][:200]}"


def _entry(entry: Mapping[str, Any]) -> str:
    reason = entry["detail"].get("reason")
    return f"{cell(entry['at'])}  {entry['actor']}  {entry['action']}{f': {reason}' if reason else ''}"


def _section(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{heading}:"
        yield from (f"  {line}" for line in lines)
