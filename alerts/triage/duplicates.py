"""Closing alerts as duplicates: asks of which one, shows both sides, and only then puts the incidents together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alerts import incidents
from alerts.triage import reading, terms
from alerts.triage.dialogs import Answer, Ask
from monitor.errors import UnfitActError
from monitor.language import _, ngettext
from monitor.types import Said

if TYPE_CHECKING:
    from alerts.queue import Outcome
    from alerts.triage.app import Desk

LIKELY = 3  # alerts that may be the same claim, by their numbers and titles
SHOWN = 8  # of many alerts
_LONGEST_NUMBER = 18  # digits that a database can count
_WHICH = Said("Begin with the number of the other alert, as in: 12 same leaflet")


async def close(desk: Desk, alerts: Mapping[int, str], number: int | None = None) -> bool:
    """Ask of which alert these are duplicates, by id with their titles, and close them; whether any was closed.

    ``number`` is proposed. What came of it is said.
    """
    named: list[tuple[dict[str, Any], str]] = []

    async def look_up(answer: Answer) -> None:
        named[:] = [await _named(desk, answer.words, alerts)]

    lines = listed(alerts)
    if len(alerts) == 1:
        likely = await desk.session.ask(reading.likely, next(iter(alerts)))
        lines += [_("Perhaps of: {id} {title}").format(**row) for row in likely[:LIKELY]]
    question = ngettext(
        "Of which alert is alert {id} a duplicate?", "Of which alert are {count} alerts duplicates?", len(alerts)
    ).format(id=next(iter(alerts)), count=len(alerts))
    prompt = _("Its number, and more words if you like")
    words = f"{number} " if number is not None else ""
    if not await desk.push_screen_wait(Ask(question, look_up, lines=lines, prompt=prompt, words=words)):
        return False
    ((other, more),) = named
    outcomes: list[Outcome] = []

    async def submit(_answer: Answer) -> None:
        outcomes[:] = await desk.session.act(incidents.duplicate_many, list(alerts), other["id"], more)
        refused = [each.refusal for each in outcomes if each.refusal is not None]
        if len(refused) == len(outcomes):
            raise refused[0]

    question = ngettext(
        "Close alert {id}, and put its items into the incident of alert {of}? "
        "`u` does not take this back: only `incidents split` takes the items out again.",
        "Close {count} alerts, and put their items into the incident of alert {of}? "
        "`u` does not take this back: only `incidents split` takes the items out again.",
        len(alerts),
    ).format(id=next(iter(alerts)), count=len(alerts), of=other["id"])
    lines = [*listed(alerts), f"→ {other['id']} {other['title']}"]
    if not await desk.push_screen_wait(Ask(question, submit, lines=lines)):
        return False
    _say(desk, outcomes, other["id"])
    return True


def listed(alerts: Mapping[int, str]) -> list[str]:
    """Alerts with their titles, SHOWN at most."""
    lines = [f"{id} {title}".rstrip() for id, title in list(alerts.items())[:SHOWN]]
    return lines + ([_("and {count} more").format(count=len(alerts) - SHOWN)] if len(alerts) > SHOWN else [])


async def _named(desk: Desk, typed: str, alerts: Mapping[int, str]) -> tuple[dict[str, Any], str]:
    """The other alert, and the words after its number. Raises UnfitActError, NotFoundError."""
    number, _sep, more = typed.strip().removeprefix("#").partition(" ")
    if not number.isdecimal() or len(number) > _LONGEST_NUMBER or int(number) in alerts:
        raise UnfitActError("no-reason", _WHICH)
    return await desk.session.ask(reading.find, int(number)), more.strip()


def _say(desk: Desk, outcomes: Sequence[Outcome], of: int) -> None:
    closed = [each.alert_id for each in outcomes if each.refusal is None]
    refused = [f"{terms.told(each.refusal, desk.session.zone)}." for each in outcomes if each.refusal is not None]
    for alert_id in closed:
        desk.leases.drop(alert_id)
        desk.queue_screen.queue.step_over(alert_id)
    said = ngettext(
        "Alert {id} is closed: its items are alert {of}'s now.",
        "{count} alerts are closed: their items are alert {of}'s now.",
        len(closed),
    ).format(id=closed[0], count=len(closed), of=of)
    desk.say(" ".join((said, *refused)), alarm=bool(refused))
