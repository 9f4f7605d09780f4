"""What tests of notices share: alerts to tell of, and the stage at a moment of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from alerts import notify
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store
from tests.alerts.rows import add_incident

Tell = Callable[..., None]  # see the fixture `receivers`


def open_alerts(store: Store, settings: Settings, now: datetime, count: int = 1, **incident: Any) -> None:
    """Incidents alike, each with its alert."""
    for _ in range(count):
        add_incident(store, now, **incident)
    dispatch(store, settings, now)


def notify_at(store: Store, settings: Settings, now: datetime, *seconds: float) -> list[dict[str, Any]]:
    """Run the stage at these seconds after ``now``; its counts."""
    return [dict(notify.notify(store, settings, now + timedelta(seconds=each)).counts) for each in seconds]
