"""What this desk holds: taken, renewed while somebody is there, and given back however the desk ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alerts import queue
from alerts.triage import terms
from alerts.triage.session import Session
from monitor.errors import PollwatchError, RefusedError


class Leases:
    """The alerts that this desk holds, with the instant at which each lease is over."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.until: dict[int, datetime] = {}
        self.active_at = session.clock()  # when somebody last pressed a key

    async def take(self, alert_id: int | None) -> Mapping[str, Any]:
        """Hold an alert, or the most urgent one. One that the reviewer holds already is held on.

        Raises RefusedError, NotFoundError, StoreError.
        """
        try:
            row = await self._session.act(queue.take, alert_id)
        except RefusedError:
            if alert_id is None:
                raise
            row = await self._renewed(alert_id)
        self.until[row["id"]] = row["lease_expires_at"]
        return row

    async def _renewed(self, alert_id: int) -> dict[str, Any]:
        """Of an alert that could not be taken. Raises the reason why not, unless the reviewer holds it."""
        try:
            return await self._session.act(queue.renew, alert_id)
        except RefusedError:
            return await self._session.act(queue.take, alert_id)  # says who holds it, or why else it is refused

    def keep(self, row: Mapping[str, Any]) -> None:
        """Note that the reviewer holds an alert, as undoing a decision restores it."""
        self.until[row["id"]] = row["lease_expires_at"]

    def drop(self, alert_id: int) -> None:
        """Note that it is held no more."""
        self.until.pop(alert_id, None)

    async def release(self, alert_id: int) -> None:
        """Give it back, if this desk holds it; somebody else may hold it by now. Raises StoreError."""
        if self.until.pop(alert_id, None) is not None:
            try:
                await self._session.act(queue.release, alert_id)
            except RefusedError:
                return

    async def release_all(self) -> None:
        """Give back everything. Raises StoreError."""
        for alert_id in list(self.until):
            await self.release(alert_id)

    def release_now(self, wait_s: float) -> None:
        """The same when there is no time for the event loop: at a signal, or after a crash. Raises nothing."""

        def work() -> None:
            for alert_id in list(self.until):
                self.until.pop(alert_id, None)
                try:
                    queue.release(
                        self._session.store,
                        self._session.settings,
                        self._session.reviewer,
                        self._session.clock(),
                        alert_id,
                    )
                except PollwatchError:  # not ours any more, or no database: the lease runs out by itself
                    continue

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(wait_s)

    def active(self) -> None:
        """Somebody pressed a key."""
        self.active_at = self._session.clock()

    async def renew(self) -> dict[int, str]:
        """Renew what is half over, if somebody is there. Returns what was lost, and in which words.

        Raises StoreError.
        """
        now = self._session.clock()
        triage = self._session.settings.triage
        idle = now - self.active_at >= timedelta(minutes=triage.idle_minutes)
        half = timedelta(minutes=triage.lease_minutes) / 2
        lost = {}
        for alert_id, until in list(self.until.items()):
            if idle or until - now > half:
                continue
            try:
                row = await self._session.act(queue.renew, alert_id)
            except RefusedError as error:
                self.drop(alert_id)
                lost[alert_id] = terms.told(error, self._session.zone)
            else:
                if alert_id in self.until:  # not given back meanwhile
                    self.until[alert_id] = row["lease_expires_at"]
        return lost
