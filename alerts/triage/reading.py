"""What the desk asks the store beside alert sheets. Every function may wait, and is called in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from monitor import search as texts
from monitor.errors import MissingStoreError
from monitor.store import Store, alert_list, alert_order, alerts, audit, relations
from monitor.store.alert_order import Wanted
from monitor.text import fold
from monitor.types import AlertState, SearchHit

LONGEST = 100_000  # alerts that a desk lists
FOUND = 200  # hits of one search


@dataclass(frozen=True, slots=True)
class Filter:
    """What the queue screen shows: what the store chooses by, and words that must stand in the title."""

    wanted: Wanted = field(default_factory=Wanted)
    words: str = ""

    @property
    def is_on(self) -> bool:
        """Whether anything is left out that waits for a person."""
        return bool(self.words) or replace(self.wanted, reviewer="") != Wanted()


@dataclass(frozen=True, slots=True)
class Order:
    """The alerts of a filter, the most urgent first, as the store held them at ``head``."""

    ids: tuple[int, ...]
    head: int  # number of the newest audit entry
    total: int  # more than there are ids, when the list was cut at LONGEST


def head(store: Store) -> int:
    """Changes with every act on any alert: the number of the newest audit entry. Raises StoreError."""
    _is_there(store)
    with store.read() as connection:
        return audit.head(connection)[0]


def order(store: Store, chosen: Filter, now: datetime) -> Order:
    """Which alerts there are. Raises StoreError."""
    with store.read() as connection:
        newest = audit.head(connection)[0]
        found = alert_order.order(connection, chosen.wanted, now, LONGEST)
        total = alert_order.count(connection, chosen.wanted, now) if len(found) == LONGEST else len(found)
    if chosen.words:
        words = fold(chosen.words).split()
        found = [(id, title) for id, title in found if _stands(words, id, title)]
        total = len(found)
    return Order(tuple(id for id, _ in found), newest, total)


def rows(store: Store, ids: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    """Rows of `alerts list`; of an alert that is gone there is none. Raises StoreError."""
    with store.read() as connection:
        return alert_list.rows(connection, ids, now)


def find(store: Store, alert_id: int, now: datetime) -> dict[str, Any]:
    """The row of one alert. Raises NotFoundError, StoreError."""
    with store.read() as connection:
        return alert_list.row(connection, alert_id, now)


def second_opinions(store: Store, now: datetime) -> list[int]:
    """Ids of the alerts that ask for a second opinion and that nobody holds, the most urgent first."""
    with store.read() as connection:
        return [id for id, _ in alert_order.order(connection, Wanted(states=(AlertState.SECOND_REVIEW,)), now, FOUND)]


def likely(store: Store, alert_id: int, now: datetime) -> list[dict[str, Any]]:
    """Rows of the alerts of incidents that may be the same claim, the most similar first. Raises NotFoundError."""
    with store.read() as connection:
        others = relations.related_to(connection, alerts.get(connection, alert_id).incident_id)
        theirs = [alerts.of_incident(connection, other["id"]) for other in others]
        return alert_list.rows(connection, [found[-1].id for found in theirs if found], now)


def search(store: Store, words: str, _now: datetime) -> list[SearchHit]:
    """The newest FOUND texts that hold the words. Raises InputError, StoreError."""
    return texts.search(store, words, limit=FOUND)


@lru_cache(maxsize=LONGEST)
def _folded(title: str) -> str:
    return fold(title)


def _stands(words: Sequence[str], alert_id: int, title: str) -> bool:
    """Whether all ``words`` stand in the title, or the only one is the alert's number."""
    return words == [str(alert_id)] or all(word in _folded(title) for word in words)


class _Files:
    """Which file each store was, the last time somebody looked: a store that was put in its place is opened anew."""

    seen: dict[Path, int] = {}  # noqa: RUF012 - one for the program


def _is_there(store: Store) -> None:
    """An open SQLite file that was deleted can be read on for ever. Raises MissingStoreError."""
    if store.path is None:
        return
    try:
        number = store.path.stat().st_ino
    except FileNotFoundError:
        _Files.seen.pop(store.path, None)
        store.close()  # the next connection opens what is there by then
        raise MissingStoreError(store.url) from None
    if _Files.seen.setdefault(store.path, number) != number:
        _Files.seen[store.path] = number
        store.close()
