"""What the audit says, said in the log as well: there the acts of every reviewer, on whatever machine, come together.

Never what was decided or why: it may be the first of two opinions, which nobody is to see yet, and logs go far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitor import logs
from monitor.store import Connection, subjects
from monitor.store import alerts as alert_store

MOST_ITEMS = 100  # of an incident in one line; `item.group` says of each item in which one it is

_TOLD_BY_ITEM = "evidence.write"  # its stage has said `item.capture` of each


def tell(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """A line for each of these audit entries: its action, and ``audit, by, subject, alert, incident, items``."""
    entries = [entry for entry in entries if entry["action"] != _TOLD_BY_ITEM]
    about = subjects.about(connection, {entry["subject"] for entry in entries}, MOST_ITEMS)
    for entry in entries:
        what = about[entry["subject"]] or {"subject": entry["subject"]}
        logs.tell(entry["action"], audit=entry["seq"], at=entry["at"].isoformat(), by=entry["actor"], **what)


def tell_sent(connection: Connection, receiver: str, alert_ids: Iterable[int]) -> None:
    """A receiver was told of these alerts: a line for each of them."""
    names = {alert_store.subject(id) for id in alert_ids}
    for what in subjects.about(connection, names, MOST_ITEMS).values():
        logs.tell("notice.send", receiver=receiver, **what)
