"""Several processes that notify, and kills at any moment: nothing is lost, and a copy has one cause."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from monitor.config import Settings
from monitor.store import Store, audit, outbox
from tests.alerts.telling import Tell, notify_at, open_alerts
from tests.receiver import Inbox

_SENDER = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from alerts.notify import notify
from monitor.config import load_file
from monitor.store import open_store
settings = load_file(Path(sys.argv[1]))
store = open_store(settings.database_url)
print("ready", flush=True)
for step in range(4):
    notify(store, settings, datetime.fromisoformat(sys.argv[2]) + timedelta(seconds=60 * step))
"""


def _sender(folder: Path, moment: datetime) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", _SENDER, str(folder / "pollwatch.toml"), moment.isoformat()]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


def test_two_processes_tell_once(
    store: Store, settings: Settings, folder: Path, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Whoever is first sends; the other finds it done or leaves it."""
    receivers("one", "two", group_wait_s=0)
    inbox.delay_s = 0.05
    open_alerts(store, settings, now, count=3)
    processes = [_sender(folder, now) for _ in range(3)]
    assert [process.communicate() and process.returncode for process in processes] == [0, 0, 0]
    assert [each.alerts for path in ("one", "two") for each in inbox.of(path)] == [[1, 2, 3], [1, 2, 3]]


def test_killed_at_random_moments_every_notice_arrives_and_copies_only_from_the_answer_window(
    store: Store, settings: Settings, folder: Path, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """kill -9 around sending: a key comes twice only if the service had it and the store did not know; same bytes.

    Every other kill comes at a moment of chance, the others just before a service's answer.
    """
    names = ("one", "two", "three")
    receivers(*names, group_wait_s=0, group_interval_s=0, repeat_interval_s=600_000)
    inbox.delay_s = 0.05
    dice = random.Random(20270301)
    window: set[str] = set()
    rounds = 10
    for number in range(rounds):
        moment = now + timedelta(hours=number)
        open_alerts(store, settings, moment, count=2)
        process = _sender(folder, moment)
        if number % 2:
            wanted = len(inbox.deliveries) + dice.randint(1, len(names))
            inbox.before_answer = lambda: _kill(process) if len(inbox.deliveries) >= wanted else None  # noqa: B023
        else:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0, 0.3))
            _kill(process)
        process.communicate()
        inbox.before_answer = lambda: None
        inbox.settle()
        with store.read() as connection:
            unknown = {message.key[:16] for message in outbox.unsent(connection)}
        window |= unknown & {each.key for each in inbox.deliveries}
        notify_at(store, settings, moment, 600, 601)
    for name in names:
        assert sorted({id for each in inbox.of(name) for id in each.alerts}) == list(range(1, 2 * rounds + 1))
    times = Counter(each.key for each in inbox.deliveries)
    assert {key for key, count in times.items() if count > 1} == window
    assert window
    assert max(times.values()) == 2
    assert len({each.raw for each in inbox.deliveries}) == len(times)
    with store.read() as connection:
        assert audit.verify(connection) is None


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
