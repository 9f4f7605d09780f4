"""`/`: the queue now, its clocks against their targets, what is spreading, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as wall_clock
from typing import Any

from alerts.charts import spark, trend
from alerts.clocks import terms_at
from alerts.legs import quantile
from alerts.routing import load_routes
from alerts.web.look import Look
from alerts.web.parts import (
    Cell,
    Chart,
    Column,
    Figures,
    Link,
    Listing,
    Page,
    Section,
    Table,
    Tone,
    claim,
    instant,
    number,
    share,
    span,
)
from monitor.language import _, ngettext, render, term
from monitor.store import Connection, alert_list, board, incident_facts, summary
from monitor.store.board import Handled

SHOWN = 10  # alerts and incidents of a list
PROBLEMS = 8
CLOCKS = timedelta(days=1)
HANDLED = 500  # alerts of one priority whose clocks are read, the newest
SPREAD_HOURS = 6
DAYS = 14
PRIORITIES = (1, 2, 3, 4)


def overview(look: Look) -> Page:
    """The page. Raises ConfigError for a wrong routes file: without targets there are no clocks."""
    terms = terms_at(look.now, look.settings, load_routes(look.settings))
    with look.store.read() as connection:
        queue = summary.queue(connection, look.now)
        waits = {row.priority: row for row in board.waiting(connection, look.now)}
        listed = alert_list.listing(connection, limit=SHOWN, now=look.now)
        handled = {each: board.handled(connection, each, look.now - CLOCKS, HANDLED) for each in PRIORITIES}
        spread = list(_spread(connection, look))
        course = _course(connection, look)
    count = len(look.problems)
    targets = {each: terms.targets.of(terms.phase, each) for each in PRIORITIES}
    return Page(
        title=_("Now"),
        lead=_("What waits for a person, whether it is handled in time, and what is spreading."),
        sections=[
            Section(_("The queue"), [_counts(queue)]),
            Section(_("Most urgent"), [_alerts(look, listed, queue["live"])]),
            Section(_("Open by priority"), [_by_priority(look, waits)]),
            Section(_("Clocks against their targets, last 24 hours"), [_clocks(look.now, handled, targets)]),
            Section(_("Spreading, last {hours} hours").format(hours=SPREAD_HOURS), [_spreading(spread)]),
            Section(_("The last {days} days").format(days=DAYS), [course]),
            Section(_("What needs a person"), [_problems(look)]),
        ],
        alarm=ngettext("{count} thing needs a person", "{count} things need a person", count).format(count=count)
        if count
        else "",
        onward=[Link(_("All incidents"), look.to("/incidents"))],
    )


def in_time(spans: Sequence[tuple[timedelta | None, timedelta]], target: timedelta) -> float | None:
    """The share that kept ``target``, of those that kept or missed it. Pure.

    Of each: how long it took, None while it waits; and how long it has been waiting at most. What waits and is still
    within its time says nothing yet.
    """
    known = [took or waited for took, waited in spans if took is not None or waited > target]
    return sum(length <= target for length in known) / len(known) if known else None


def _counts(queue: Mapping[str, Any]) -> Figures:
    late = Tone.BAD if queue["overdue"] else Tone.PLAIN
    hidden = sum(queue["suppressed"].values())
    rows = [
        (_("To take"), number(queue["open"])),
        (_("In hand"), number(queue["leased"])),
        (_("For another opinion"), number(queue["second_review"])),
        (_("Past due"), Cell(f"{queue['overdue']:,}", tone=late)),
        (_("Put off"), number(queue["snoozed"])),
        (_("Hidden"), number(hidden)),
    ]
    return Figures(rows)


def _alerts(look: Look, rows: Sequence[Mapping[str, Any]], live: int) -> Table:
    columns = [
        Column(_("Priority")),
        Column(_("Claim"), head=True),
        Column(_("State")),
        Column(_("Items"), number=True),
        Column(_("Due")),
    ]
    shown = [
        [
            Cell(row["priority"]),
            claim(row["title"], look.to(f"/incidents/{row['incident_id']}"), row["lang"], row["claim_type"]),
            Cell(term("state", row["state"])),
            number(row["items"]),
            _due(look, row["due_at"]),
        ]
        for row in rows
    ]
    name = _("The {shown} most urgent of {live}").format(shown=len(rows), live=f"{live:,}")
    return Table(name, columns, shown, _("Nothing is waiting."))


def _due(look: Look, due: datetime | None) -> Cell:
    return instant(due, look.zone, Tone.BAD if due is not None and due < look.now else Tone.PLAIN)


def _by_priority(look: Look, waits: Mapping[int, board.Waiting]) -> Table:
    columns = [
        Column(_("Priority"), head=True),
        Column(_("Waiting"), number=True),
        Column(_("Past due"), number=True),
        Column(_("Longest waiting"), number=True),
    ]
    rows = []
    for priority in PRIORITIES:
        row = waits.get(priority)
        late = row.overdue if row else 0
        rows.append(
            [
                Cell(f"P{priority}"),
                number(row.alerts if row else 0),
                Cell(f"{late:,}", tone=Tone.BAD if late else Tone.PLAIN),
                Cell(span(look.now - row.oldest) if row else "–"),
            ]
        )
    return Table(_("Open alerts by priority"), columns, rows, "")


def _clocks(now: datetime, handled: Mapping[int, Sequence[Handled]], targets: Mapping[int, Any]) -> Table:
    columns = [
        Column(_("Priority"), head=True),
        Column(_("Opened"), number=True),
        Column(_("Half taken within"), number=True),
        Column(_("Target"), number=True),
        Column(_("In time"), number=True),
        Column(_("Half decided within"), number=True),
        Column(_("Target"), number=True),
        Column(_("In time"), number=True),
    ]
    rows = []
    for priority in PRIORITIES:
        alerts, target = handled[priority], targets[priority]
        taken = [(_took(each.began, each.taken_at or each.decided_at), now - each.began) for each in alerts]
        decided = [(_took(each.began, each.decided_at), now - each.began) for each in alerts]
        count = f"{len(alerts):,}" if len(alerts) < HANDLED else _("{count} or more").format(count=HANDLED)
        rows.append([Cell(f"P{priority}"), Cell(count), *_leg(taken, target.take), *_leg(decided, target.decide)])
    return Table(_("How soon alerts are taken and decided"), columns, rows, "")


def _took(began: datetime, end: datetime | None) -> timedelta | None:
    return None if end is None else max(end - began, timedelta(0))


def _leg(spans: Sequence[tuple[timedelta | None, timedelta]], minutes: int) -> tuple[Cell, Cell, Cell]:
    target = timedelta(minutes=minutes)
    p50 = quantile(sorted(took for took, _waited in spans if took is not None), 50)
    kept = in_time(spans, target)
    tone = Tone.PLAIN if kept is None else Tone.GOOD if kept >= 0.9 else Tone.WARN if kept >= 0.5 else Tone.BAD
    return Cell(span(p50)), Cell(span(target), tone=Tone.SOFT), Cell(share(kept), tone=tone)


def _spread(connection: Connection, look: Look) -> Iterator[list[Cell]]:
    bounds = [look.now - timedelta(hours=hours) for hours in range(SPREAD_HOURS, -1, -1)]
    fastest = board.spreading(connection, bounds[0], SHOWN)
    facts = incident_facts.by_id(connection, [incident_id for incident_id, _count in fastest])
    for incident_id, count in fastest:
        known = facts[incident_id]
        title = claim(known.title, look.to(f"/incidents/{incident_id}"), known.lang, known.claim_type)
        drawn = spark(board.joined(connection, incident_id, bounds))
        yield [title, Cell(f"{count:,}", chart=drawn), number(len(known.outlets)), number(known.items)]


def _spreading(rows: Sequence[Sequence[Cell]]) -> Table:
    columns = [
        Column(_("Claim"), head=True),
        Column(_("New items"), number=True),
        Column(_("Outlets"), number=True),
        Column(_("Items in all"), number=True),
    ]
    return Table(_("What gains items fastest"), columns, rows, _("No incident gained more than one item."))


def _course(connection: Connection, look: Look) -> Chart:
    today = look.now.astimezone(look.zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    starts = [datetime.combine(day, wall_clock(), look.zone) for day in (*days, today + timedelta(days=1))]
    series = [
        (_("incidents found"), board.found(connection, starts)),
        (_("alerts decided"), board.decided(connection, starts)),
    ]
    title = _("Incidents found and alerts decided, by day")
    return Chart(title, trend(title, [f"{day:%m-%d}" for day in days], series, unit=_("a day")))


def _problems(look: Look) -> Listing:
    problems = look.problems
    rows = [Cell(render(problem, look.zone)) for problem in problems[:PROBLEMS]]
    if len(problems) > PROBLEMS:
        more = _("and {count} more: `pollwatch status` names them").format(count=len(problems) - PROBLEMS)
        rows.append(Cell(more, tone=Tone.SOFT))
    return Listing(rows, _("Nothing: feeds, stages, model and mails are well."))
