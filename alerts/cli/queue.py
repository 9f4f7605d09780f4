"""`alerts`: the queue by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import click

from alerts.cli.show import coded, print_sheet, relative
from monitor.cli.base import (
    NUMBER,
    Context,
    cell,
    example,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_result,
    print_table,
    reviewer_name,
    say,
    spoken,
)
from monitor.errors import RefusedError
from monitor.language import _, used
from monitor.types import WAITING, AlertState, Decision, Lang, Review, Said, Verdict


def _one_of(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


# What stands in every table of alerts: the key and its heading.
_COLUMNS = [
    ("id", Said("id")),
    ("priority", Said("pri")),
    ("due", Said("due")),
    ("level", Said("level")),
    ("state", Said("state")),
    ("claim_type", Said("claim type")),
    ("matches", Said("about")),
    ("spread", Said("items/outlets")),
    ("holder", Said("holder")),
]

plain_option = click.option(
    "--plain", is_flag=True, help="No colour, no columns: one thing a line, as a screen reader reads it well."
)
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
@plain_option
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
    plain: bool,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """List alerts, the most urgent first."""
    from alerts import queue
    from alerts.naming import load_naming
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
    asked = _("no such alert waits for a person") if review or mine or priority else _("nothing waits for a person")
    asked = _("nothing is suppressed") if which == "suppressed" else asked
    if states:
        named = _(" or ").join(coded("state", state) for state in states)
        asked = _("no alert is {states}").format(states=named)
    columns = [*_COLUMNS, *([("suppression", Said("suppression"))] if which else []), ("title", Said("title"))]
    headed = [(key, _(heading.form)) for key, heading in columns]
    called = load_naming(settings).person if used() is not Lang.EN else str  # in English as one types it
    table = [{**_table_row(row, moment), "matches": [called(id) for id in row["matches"]]} for row in rows]
    print_table(table, headed, empty=asked, wide=("level", "state", "matches", "spread"), plain=plain)


def _table_row(row: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    named = {kind: coded(kind, row[kind]) for kind in ("state", "claim_type", "suppression")}
    title = _("[tip] {title}").format(title=row["title"]) if row["tips"] else row["title"]
    spread = f"{row['items']}/{len(row['outlets'])}"
    return {**row, **named, "title": title, "due": relative(row, moment), "spread": spread}


@alerts.command(epilog=example("pollwatch alerts show 7", "pollwatch --language zh-Hant alerts show 7 --plain"))
@click.argument("alert_id", metavar="ID", type=NUMBER)
@plain_option
@json_option
@pass_context
def show(context: Context, alert_id: int, plain: bool, as_json: bool) -> None:
    """Show the claim, why it is here, where it was published, and who did what with it.

    On a terminal, words that speak for a falsehood are bold, those against it italic, watched names reversed. Of an
    edited text, [-what went-] and {+what came+} are shown.
    """
    from alerts.sheet import read_sheet

    with context.store() as (store, settings):
        moment = now()
        sheet = read_sheet(store, settings, alert_id, "", moment)
    if as_json:
        print_object(sheet.alert)
    else:
        print_sheet(sheet, moment, plain=plain)


@alerts.command(epilog=example("pollwatch alerts take", "pollwatch alerts take 7"))
@click.argument("alert_id", metavar="[ID]", type=NUMBER, required=False)
@plain_option
@reviewer_option
@json_option
@pass_context
def take(context: Context, alert_id: int | None, plain: bool, reviewer: str | None, as_json: bool) -> None:
    """Hold an alert for one lease; without ID, the most urgent that is free and yours to take.

    Those for your teams in the rota come first. What asks for a second opinion is not given to who gave the first; what
    asks for the lead is taken by its ID.
    """
    from alerts import queue
    from alerts.sheet import read_sheet

    with context.store() as (store, settings):
        moment, me = now(), reviewer_name(reviewer)
        row = queue.take(store, settings, me, moment, alert_id)
        if as_json:
            print_object(row)
            return
        print_sheet(read_sheet(store, settings, row["id"], me, moment), moment, plain=plain)
    following = _("yours until {until}; next: pollwatch alerts decide {id} --decision …")
    say(following.format(until=cell(row["lease_expires_at"]), id=row["id"]))


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
    done = _("alert {id} is yours until {until}").format(id=alert_id, until=cell(row["lease_expires_at"]))
    print_result(row, as_json, done)


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
    print_result(row, as_json, _("alert {id} is {state} again").format(id=alert_id, state=coded("state", row["state"])))


@alerts.command(
    epilog=example(
        'pollwatch alerts decide 7 --decision clarify --verdict false --reason "the roster still has her"',
        "pollwatch alerts decide 8 --decision dismiss --reason satire",
        "pollwatch alerts decide 8 9 12 --decision dismiss --reason not-election",
        "pollwatch alerts decide 9 --decision duplicate --of 7",
        "pollwatch alerts list --priority P4 --json | jq .id | "
        "pollwatch alerts decide - --decision dismiss --reason opinion",
    )
)
@click.argument("alert_ids", metavar="ID...|-", nargs=-1, required=True)
@click.option("--decision", required=True, type=_one_of(Decision))
@click.option("--verdict", type=_one_of(Verdict), help="The finding about the claim; clarify needs one.")
@click.option("--of", type=NUMBER, metavar="ID", help="The alert of which it is a duplicate.")
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
    alert_ids: tuple[str, ...],
    decision: str,
    verdict: str | None,
    of: int | None,
    reason: str,
    reviewer: str | None,
    as_json: bool,
) -> None:
    """Decide an alert that you hold, or several alike. Nothing is published by it.

    To clarify something about a candidate as false or misleading takes two people: the alert then waits for a second
    opinion, given without knowledge of yours, and goes to the lead if the two differ.

    A duplicate is closed, and its items go to the incident of another alert (--of), as `incidents merge` does it;
    `incidents split` takes them apart.

    Of several, `-` for those whose numbers stand on the lines of stdin, those that nobody holds are taken first. Each
    is decided by itself; those that are refused are listed with the reason, and end the command with 1.
    """
    from alerts import incidents, queue

    _require_of(decision, verdict, of)
    rest = (Decision(decision), Verdict(verdict) if verdict else None, reason)
    ids = list(_numbers(alert_ids))
    with context.store() as (store, settings):
        act = (store, settings, reviewer_name(reviewer), now())
        if len(alert_ids) == 1 and alert_ids != ("-",):
            row = queue.decide(*act, ids[0], *rest) if of is None else incidents.duplicate(*act, ids[0], of, reason)
            print_result(row, as_json, outcome(row))
            return
        outcomes = (
            queue.decide_many(*act, ids, *rest) if of is None else incidents.duplicate_many(*act, ids, of, reason)
        )
    for each in outcomes:
        if each.row is not None:
            print_result(each.row, as_json, outcome(each.row))
        elif as_json:
            reason = each.refusal.reason if isinstance(each.refusal, RefusedError) else "not-found"
            print_object({"id": each.alert_id, "refused": {"reason": reason, "detail": str(each.refusal)}})
        else:
            refused = each.refusal
            say(f"! {spoken(refused.said) if isinstance(refused, RefusedError) else refused}")
    if any(each.refusal for each in outcomes):
        raise SystemExit(1)


def _require_of(decision: str, verdict: str | None, of: int | None) -> None:
    """A duplicate is one of another alert, and has no verdict of its own."""
    if decision != Decision.DUPLICATE:
        if of is not None:
            raise click.UsageError("--of goes with --decision duplicate")
    elif of is None:
        raise click.UsageError("say of which alert it is a duplicate: --of ID")
    elif verdict:
        raise click.UsageError("a duplicate has no verdict of its own: --verdict goes with the other alert")


def _numbers(words: Iterable[str]) -> Iterator[int]:
    """The ids that were given, those of stdin where a ``-`` stands."""
    for word in words:
        lines = sys.stdin if word == "-" else [word]
        for line in lines:
            if line.strip():
                yield int(NUMBER.convert(line.strip(), None, None))  # type: ignore[arg-type]  # it takes text


@alerts.command(epilog=example('pollwatch alerts note 7 "the office says: still on the ballot paper, 14:20"'))
@click.argument("alert_id", metavar="ID", type=NUMBER)
@click.argument("text")
@reviewer_option
@json_option
@pass_context
def note(context: Context, alert_id: int, text: str, reviewer: str | None, as_json: bool) -> None:
    """Write a note on an alert, whoever holds it. It stands in the audit and is never changed.

    While the alert waits for a second opinion, nobody is shown its notes.
    """
    from alerts import queue

    with context.store() as (store, settings):
        row = queue.note(store, settings, reviewer_name(reviewer), now(), alert_id, text)
    print_result(row, as_json, _("noted on alert {id}").format(id=alert_id))


def outcome(row: Mapping[str, Any]) -> str:
    """What a decision led to."""
    if row["decision"] is None and row["review"] is Review.SECOND:
        return _("alert {id} waits for a second opinion, by somebody who does not know yours").format(**row)
    if row["decision"] is None:
        return _("alert {id} goes to the lead (team {route}): the two opinions differ").format(**row)
    named = {kind: coded(kind, row[kind]) for kind in ("state", "decision", "verdict")}
    if row["verdict"]:
        return _("alert {id} is {state}: {decision}, {verdict}").format(id=row["id"], **named)
    return _("alert {id} is {state}: {decision}").format(id=row["id"], **named)
