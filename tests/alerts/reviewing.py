"""What tests of reviews share: two alerts, and a desk at which people act on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.store import Store, alert_list
from monitor.types import Decision, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident

FALSE = (Decision.CLARIFY, Verdict.FALSE)
SECRET = "選舉事務署說仍在名單 ＳＥＣＲＥＴ"


def two_alerts(store: Store, settings: Settings, now: datetime) -> None:
    """The first names a candidate, the second nobody."""
    add_incident(store, now, findings=[WITHDRAWN])
    add_incident(store, now, title="A pier is closed", score=0.6, matches=[], lang="en")
    dispatch(store, settings, now)


class Desk:
    """Shortens calls: who, what, at the moment of the desk."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings, self.now = store, settings, now

    def act(self, name: str, reviewer: str, *rest: Any, alert_id: int | None = 1) -> dict[str, Any]:
        act: Callable[..., dict[str, Any]] = getattr(queue, name)
        return act(self.store, self.settings, reviewer, self.now, alert_id, *rest)

    def give(self, reviewer: str, decision: Decision, verdict: Verdict | None, reason: str = SECRET) -> dict[str, Any]:
        """Take it and decide it."""
        self.act("take", reviewer)
        return self.act("decide", reviewer, decision, verdict, reason)

    def refused(self, name: str, reviewer: str, *rest: Any, alert_id: int | None = 1) -> str:
        with pytest.raises(RefusedError) as caught:
            self.act(name, reviewer, *rest, alert_id=alert_id)
        return caught.value.reason

    def row(self, alert_id: int = 1) -> dict[str, Any]:
        with self.store.read() as connection:
            return alert_list.row(connection, alert_id, self.now)
