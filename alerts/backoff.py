"""How long to wait before a message that was not taken is tried again. Pure."""

from __future__ import annotations

import hashlib
from datetime import timedelta

_FIRST, _LAST = timedelta(seconds=30), timedelta(minutes=30)
_SPREAD = 0.25


def retry_after(attempts: int, spread_by: str = "") -> timedelta:
    """The wait after so many failed attempts: doubling from half a minute to half an hour.

    With ``spread_by``, a quarter shorter to a quarter longer, so that what failed together does not come back together.
    """
    doublings = min(max(attempts - 1, 0), 10)
    wait = min(_FIRST * (1 << doublings), _LAST)
    if not spread_by:
        return wait
    share = hashlib.sha256(f"{spread_by} {attempts}".encode()).digest()[0] / 255  # 0 to 1, the same every time
    return wait * (1 - _SPREAD + 2 * _SPREAD * share)
