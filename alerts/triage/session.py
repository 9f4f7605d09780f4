"""Who sits at the desk, and the one way in which it acts on the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from alerts.naming import Naming
from alerts.sheet import Sheet, read_sheet
from alerts.triage import reading
from alerts.triage.background import in_thread
from monitor.config import Settings
from monitor.store import Store

T = TypeVar("T")


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Session:
    """One reviewer at one store."""

    store: Store
    settings: Settings
    reviewer: str
    clock: Callable[[], datetime] = _clock
    naming: Naming = field(default_factory=Naming)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return self.settings.calendar.zone

    async def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        """A question of ``reading`` that takes the store, its arguments and now."""
        return await in_thread(lambda: question(self.store, *arguments, self.clock()))

    async def act(self, act: Callable[..., T], *arguments: Any) -> T:
        """An act of ``alerts.queue``, under the reviewer's name. Raises RefusedError and StoreError."""
        return await in_thread(lambda: act(self.store, self.settings, self.reviewer, self.clock(), *arguments))

    async def head(self) -> int:
        """See ``reading.head``."""
        return await in_thread(lambda: reading.head(self.store))

    async def sheet(self, alert_id: int) -> Sheet:
        """See ``alerts.sheet.read_sheet``."""
        return await in_thread(lambda: self._sheet(alert_id))

    def _sheet(self, alert_id: int) -> Sheet:
        return read_sheet(self.store, self.settings, alert_id, self.reviewer, self.clock(), self.naming)
