"""Scripted reviewers who work the real queue of a drill: they know what was planted, and err as often as they are told.

Each has a stream of random numbers of their own, so that the same seed gives the same shift.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from alerts import queue
from alerts.drill_script import Model, Plant
from monitor import taxonomy
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.store import Store, alerts
from monitor.types import ClaimType, Decision, Verdict

Truth = Callable[[int], Plant | None]  # what an incident carries, by its id
_RENEW_AT = 0.8  # of a lease
_NO_ALERT = 0


class Crew:
    """The people of one drill. ``next_at`` says when one of them acts next."""

    def __init__(self, store: Store, settings: Settings, model: Model, seed: int, truth: Truth) -> None:
        self._store, self._settings, self._model, self._truth = store, settings, model, truth
        names = [f"reviewer-{number}" for number in range(1, model.number + 1)]
        # Not for secrets: the same seed is to give the same shift.
        self._random = {name: Random(f"{seed}:{name}") for name in names}  # noqa: S311 - see above
        self._idle = set(names)
        self._acts: list[tuple[datetime, str, int, datetime]] = []  # when, who, which alert, until when they decide

    @property
    def next_at(self) -> datetime | None:
        """When somebody acts next."""
        return self._acts[0][0] if self._acts else None

    def look(self, now: datetime) -> None:
        """Whoever is idle reaches for what waits for them."""
        with self._store.read() as connection:
            called = [name for name in sorted(self._idle) if alerts.most_urgent(connection, now, name) is not None]
        for name in called:
            self._reach(name, now)

    def act(self) -> None:
        """The next act, at its instant."""
        at, name, alert_id, decides_at = heapq.heappop(self._acts)
        if alert_id == _NO_ALERT:
            self._take(name, at)
        elif at < decides_at:
            queue.renew(self._store, self._settings, name, at, alert_id)
            self._hold(name, at, alert_id, decides_at)
        else:
            self._decide(name, at, alert_id)

    def _reach(self, name: str, now: datetime) -> None:
        self._idle.discard(name)
        at = now + self._some(name, self._model.take_s)
        heapq.heappush(self._acts, (at, name, _NO_ALERT, at))

    def _take(self, name: str, at: datetime) -> None:
        try:
            row = queue.take(self._store, self._settings, name, at)
        except RefusedError:
            self._idle.add(name)
            return
        self._hold(name, at, row["id"], at + self._some(name, self._model.decide_s))

    def _hold(self, name: str, now: datetime, alert_id: int, decides_at: datetime) -> None:
        """Decide in time, or first make the lease longer."""
        renew_at = now + timedelta(minutes=self._settings.triage.lease_minutes) * _RENEW_AT
        heapq.heappush(self._acts, (min(renew_at, decides_at), name, alert_id, decides_at))

    def _decide(self, name: str, at: datetime, alert_id: int) -> None:
        incident_id = queue.show(self._store, alert_id, at)["incident_id"]
        errs = self._random[name].random() < self._model.error
        decision, verdict, reason = finding(self._truth(incident_id), errs=errs)
        queue.decide(self._store, self._settings, name, at, alert_id, decision, verdict, reason)
        self._reach(name, at)
        self.look(at)  # it may wait for a second opinion now

    def _some(self, name: str, median_s: float) -> timedelta:
        """Seconds of a log-normal time, whole."""
        spread = self._model.spread
        factor = math.exp(self._random[name].gauss(0.0, spread)) if spread else 1.0
        return timedelta(seconds=round(median_s * factor))


def finding(plant: Plant | None, *, errs: bool) -> tuple[Decision, Verdict | None, str]:
    """What a reviewer decides who sees what is planted, or who takes it for the contrary. Pure."""
    if plant is None:
        if errs:
            return Decision.CLARIFY, Verdict.MISLEADING, "drill: taken for a falsehood"
        return Decision.DISMISS, None, "not-false: drill"
    if errs:
        return Decision.DISMISS, None, "not-false: drill, taken for the truth"
    if plant.claim_type is ClaimType.OPINION_OR_SATIRE:
        return Decision.WATCH, Verdict.SATIRE, f"drill: {plant.id}"
    if taxonomy.load()[plant.claim_type].checked_by.startswith("refer"):
        return Decision.REFER, None, f"drill: {plant.id}"
    return Decision.CLARIFY, Verdict.FALSE, f"drill: {plant.id}"
