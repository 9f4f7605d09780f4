"""Instants that a clock wrote which was ahead: what waits for them would wait as long as it was wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from monitor.store.schema import feeds, hosts, notices, outbox

SKEW = timedelta(seconds=60)  # by which the clocks of a fleet may differ
LEASED = timedelta(minutes=5)  # longer than any pass keeps a host
RETRIED = timedelta(hours=1)  # longer than any message waits for its next attempt


def put_right(connection: Connection, now: datetime) -> int:
    """Everything that was put off by a clock ahead of ``now`` is due now. Returns how many feeds were.

    Feeds that were asked at a time to come, hosts that a pass would hold for too long, messages and mails that would
    wait for too long.
    """
    hold = hosts.c.held_until > now + LEASED
    connection.execute(update(hosts).where(hold).values(holder=None, held_until=None, free_at=None))
    connection.execute(update(outbox).where(outbox.c.next_try_at > now + RETRIED).values(next_try_at=now))
    connection.execute(update(notices).where(notices.c.tried_at > now + SKEW).values(tried_at=None))
    # What is put right is not found again.
    asked = update(feeds).where(feeds.c.last_attempt_at > now + SKEW)
    return connection.execute(asked.values(last_attempt_at=now, next_check_at=now)).rowcount
