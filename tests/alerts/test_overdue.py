"""A digest that does not come is told by itself: to the receivers of the routes' top, in `status`, once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from alerts import digest
from alerts.notify import notify
from alerts.status import status
from monitor.config import Settings
from monitor.store import Store, notices
from tests.alerts.telling import Tell
from tests.receiver import Inbox

EIGHT = datetime(2027, 3, 1, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# Nobody listens there.
TOML = """
[digest]
receivers = ["lead@harbour.example", { address = "ps@harbour.example", lang = "zh-Hant" }]
sender = "pollwatch@harbour.example"
[smtp]
host = "127.0.0.1"
port = 1
security = "none"
timeout_s = 2
"""


def test_a_digest_that_no_server_takes_is_told_once(
    store: Store, configure: Callable[[str], Settings], receivers: Tell, inbox: Inbox
) -> None:
    """After a quarter of an hour, without naming who waits; not again that day, however often the stages run."""
    receivers("lead-room")
    settings = configure(TOML)
    digest.digest(store, settings, EIGHT)
    for minutes in (5, 14):
        notify(store, settings, EIGHT + minutes * MINUTE)
    assert inbox.deliveries == []
    for minutes in (15, 16, 60, 300):
        digest.digest(store, settings, EIGHT + minutes * MINUTE)
        notify(store, settings, EIGHT + minutes * MINUTE)
    (told,) = inbox.deliveries
    assert told.title.startswith("pollwatch: the digest of 2027-03-01 is overdue (")
    assert "have not had it: 2" in told.body
    assert "harbour.example" not in told.body
    problems = status(store, settings, EIGHT + 16 * MINUTE)["problems"]
    assert any(problem.startswith("digest of 2027-03-01 to ps@harbour.example is not sent") for problem in problems)
    notify(store, settings, EIGHT + timedelta(days=1, minutes=20))
    assert len(inbox.deliveries) == 2


def test_it_is_told_to_the_top_in_its_language(
    store: Store, configure: Callable[[str], Settings], receivers: Tell, inbox: Inbox
) -> None:
    """Whoever hears of other teams alone does not hear of it; a digest that was never written is overdue too."""
    receivers("zh-room", lang="zh-Hant", teams=["lead"])
    settings = configure(TOML)
    digest.enqueue(store, settings, (EIGHT - timedelta(days=1)).date(), EIGHT - timedelta(days=1))
    notify(store, settings, EIGHT + 20 * MINUTE)
    (told,) = inbox.deliveries
    assert "2027-03-01 的日報逾時未送達" in told.title
    (late,) = digest.problems(store, settings, EIGHT + 20 * MINUTE)
    assert late.text == "the digest of 2027-03-01 is overdue for lead@harbour.example and ps@harbour.example"
    receivers("liaison", teams=["police-liaison"])
    notify(store, settings, EIGHT + timedelta(days=1, minutes=20))
    assert len(inbox.deliveries) == 1


def test_nothing_is_told_of_a_digest_that_came_or_that_nobody_gets(
    store: Store, configure: Callable[[str], Settings], receivers: Tell, inbox: Inbox
) -> None:
    """One that was accepted is not overdue; on the day on which the program is set up at noon nothing is."""
    receivers("lead-room")
    notify(store, configure(TOML.replace('receivers = ["lead', 'receivers = [] # ["lead')), EIGHT + 20 * MINUTE)
    settings = configure(TOML)
    notify(store, settings, EIGHT + 240 * MINUTE)
    digest.enqueue(store, settings, EIGHT.date(), EIGHT + 241 * MINUTE)
    with store.write() as connection:
        for notice in notices.waiting(connection, "digest"):
            notices.sent(connection, notice.id, EIGHT)
    notify(store, settings, EIGHT + 300 * MINUTE)
    assert inbox.deliveries == []
