"""The claims of live incidents as an index in memory, brought up to date from the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from classifiers.anchors import names_and_places
from classifiers.claims import Index
from classifiers.examples import seed_examples
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Connection, Store, incidents
from monitor.types import Candidate, Claim

LIMIT = 100_000  # claims, the newest: some 100 MB
FRESH = timedelta(days=1)  # then it is built anew, without what is no longer live


@dataclass
class LiveClaims:
    """What new items are compared with. The ids of its claims are those of incidents, as text."""

    people: tuple[Candidate, ...]
    since: datetime  # incidents that were last seen before are no longer live
    index: Index
    last: int = 0  # number of the newest wording that it holds
    _places: dict[int, int] = field(default_factory=dict)  # of items, in the index

    def update(self, connection: Connection) -> None:
        """Take in what the store has beyond it: the claims of new incidents, and those that moved or changed."""
        for wording in incidents.wordings(connection, self.last, self.since, LIMIT):
            if (before := self._places.pop(wording.item_id, None)) is not None:
                self.index.drop(before)
            place = len(self.index.claims)
            self.index.add([Claim(str(wording.incident_id), wording.text)])
            if len(self.index.claims) > place:  # a text without words has no claim
                self._places[wording.item_id] = place
            self.last = wording.number


_kept: WeakKeyDictionary[Store, LiveClaims] = WeakKeyDictionary()


def borrow(store: Store, settings: Settings, now: datetime) -> LiveClaims:
    """The index that the last pass on this store left, or an empty one to be updated. Raises ConfigError.

    It is gone from here until ``give_back``: a pass that fails, and takes back what it wrote, leaves none.
    """
    people = tuple(load_watchlist(settings)[0].candidates.values())
    since = now - timedelta(days=settings.triage.live_days)
    kept = _kept.pop(store, None)
    fit = kept is not None and kept.people == people and abs(since - kept.since) < FRESH
    if kept is not None and fit and len(kept.index.claims) < 2 * LIMIT:
        return kept
    background = [example.text for example in seed_examples()]
    return LiveClaims(people, since, Index(names_and_places(people), background))


def give_back(store: Store, live: LiveClaims) -> None:
    """Keep it for the next pass, as long as the store is open."""
    _kept[store] = live
