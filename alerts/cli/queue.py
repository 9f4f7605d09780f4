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
from monitor.types import LIVE, WAITING, AlertState, Decision, Review, Verdict

_ASKS = {Review.SECOND: ", asks for a second opinion", Review.LEAD: ", asks for the lead's decision"}


def _one_of(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


reviewer_option = click.option("--reviewer", metavar="NAME", help="Who acts; else $POLLWATCH_REVIEWER, else the login.")


@click.group()
def alerts() -> None:
    """Work through the queue: list, take, decide; put off, send back, take up again."""


@alerts.command(
    "list",
    epilog=example(
        "pollwatch alerts list",
        "pollwatch alerts list --priority P1 --json",
        "pollwatch alerts list --state snoozed",
        "pollwatch alerts list --review lead",
    ),
)
@click.option("--state", "states", multiple=True, type=_one_of(AlertState), help="Only this state; may be repeated.")
@click.option(
    "--all",
    "which",
    flag_value="all",
    help="Snoozed, decided, closed and suppressed too; default: those that wait for a person.",
)
@click.option(
    "--suppressed", "which", flag_value="suppressed", help="Only those that silences hide or clarifications answer."
)
@click.option("--review", type=_one_of(Review), help="Only those that ask for this opinion.")
@click.option("--mine", is_flag=True, help="Only those that I hold, and open ones for my teams in the rota.")
@click.option(
    "--priority", type=click.Choice(["P1", "P2", "P3", "P4"], case_sensitive=False), help="Only this priority."
)
@click.option("--limit", type=NUMBER, help="At most so many, the most urgent first.")
@reviewer_option
@json_option
@pass_context
def list_alerts(  # noqa: PLR0913, PLR0917 - one for each option
    context: Context,
    states: tuple[str, ...],
    which: str | None,
    review: str | None,
    mine: bool,
    priority: str | None,
    limit: int | None,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """List alerts, the most urgent first."""
    from alerts import queue
    from alerts.rota import load_rota, teams_of

    with context.store() as (store, settings):
        moment = now()
        me = reviewer_name(reviewer) if mine else None
        rows = queue.listing(
            store,
            states=[AlertState(state) for state in states] or (tuple(AlertState) if which == "all" else WAITING),
            review=Review(review) if review else None,
            holder=me,
            teams=teams_of(load_rota(settings), me) if me else (),
            priority=int(priority[1]) if priority else None,
            suppressed={"all": None, "suppressed": True}.get(which or "", False),
            limit=limit,
            now=moment,
        )
    if as_json:
        print_lines(rows)
        return
    rows = [{**row, "title": f"[tip] {row['title']}"} if row["tips"] else row for row in rows]
    table = [{**row, "due": _relative(row, moment), "spread": f"{row['items']}/{len(row['outlets'])}"} for row in rows]
    columns: list[str | tuple[str, str]] = [
        "id",
        ("priority", "pri"),
        "due",
        "level",
        "state",
        "claim_type",
        ("matches", "about"),
        ("spread", "items/outlets"),
        "holder",
        *(["suppression"] if which else []),
        "title",
    ]
    asked = "no such alert waits for a person" if review or mine or priority else "nothing waits for a person"
    asked = "nothing is suppressed" if which == "suppressed" else asked
    asked = f"no alert is {' or '.join(states)}" if states else asked
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
    """Hold an alert for one lease; without ID, the most urgent that is free and yours to take.

    Those for your teams in the rota come first. What asks for a second opinion is not given to who gave the first; what
    asks for the lead is taken by its ID.
    """
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
        click.echo(f"alert {alert_id} is {row['state']} again")


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
    """Decide an alert that you hold. Nothing is published by it.

    To clarify something about a candidate as false or misleading takes two people: the alert then waits for a second
    opinion, given without knowledge of yours, and goes to the lead if the two differ.
    """
    from alerts import queue

    finding = Verdict(verdict) if verdict else None
    with context.store() as (store, settings):
        row = queue.decide(
            store, settings, reviewer_name(reviewer), now(), alert_id, Decision(decision), finding, reason
        )
    if as_json:
        print_object(row)
    else:
        click.echo(f"alert {alert_id} {_outcome(row)}")


def _outcome(row: Mapping[str, Any]) -> str:
    """What a decision led to."""
    if row["decision"] is None and row["review"] is Review.SECOND:
        return "waits for a second opinion, by somebody who does not know yours"
    if row["decision"] is None:
        return f"goes to the lead (team {row['route']}): the two opinions differ"
    return f"is {row['state']}: {row['decision']}{', ' + row['verdict'] if row['verdict'] else ''}"


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
    asleep = f" until {cell(found['snoozed_until'])}" if found["snoozed_until"] else ""
    asks = _ASKS.get(found["review"], "") if found["decision"] is None else ""
    yield f"alert {found['id']}  {found['priority']}  level {found['level']}  {found['state']}{held}{asleep}{asks}"
    if found["suppression"]:
        by = f" by alert {found['inhibited_by']}, which decided the same claim" if found["inhibited_by"] else ""
        yield f"suppressed: {found['suppression']}{by}"
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
    yield from _section("Official answers, perhaps", [line for answer in found["answers"] for line in _answer(answer)])
    yield from _section(
        f"Inhibits {len(found['inhibits'])}",
        [f"alert {other['id']} ({other['similarity']:.2f}): {other['title']}" for other in found["inhibits"]],
    )
    yield from _section("Decisions", [_decision(decision) for decision in found["decisions"]])
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


def _decision(row: Mapping[str, Any]) -> str:
    who = f"{cell(row['at'])}  {row['reviewer']} ({row['review']} opinion)"
    if row["decision"] is None:
        return f"{who}: not to be seen before the second opinion is given"
    withdrawn = f"; withdrawn {cell(row['withdrawn_at'])} ({row['withdrawn_by']})" if row["withdrawn_at"] else ""
    return f"{who}: {row['decision']}{' ' + row['verdict'] if row['verdict'] else ''}: {row['reason']}{withdrawn}"


def _answer(answer: Mapping[str, Any]) -> Iterator[str]:
    when = cell(answer["published_at"] or answer["first_seen_at"])
    yield f"{when}  {answer['outlet']} ({answer['role']}, {answer['similarity']:.2f}): {answer['title']}"
    if answer["link"]:
        yield f"    {answer['link']}"


def _entry(entry: Mapping[str, Any]) -> str:
    reason = entry["detail"].get("reason")
    return f"{cell(entry['at'])}  {entry['actor']}  {entry['action']}{f': {reason}' if reason else ''}"


def _section(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{heading}:"
        yield from (f"  {line}" for line in lines)
