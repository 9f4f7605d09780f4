"""A reviewer, or a stage, in a process of its own: acts come as JSON lines, answers go the same way.

Each act is done at the instant it names. Usage: reviewer_process.py CONFIG REVIEWER [DIE_BEFORE]. With DIE_BEFORE = n
the process kills itself, as `kill -9` does, just before the n-th statement that an act sends to the database; the
commit counts as a statement.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from alerts import queue, silences
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.suppression import SilenceMatchers
from monitor.config import Settings, load_file
from monitor.errors import RefusedError
from monitor.store import Store, open_store
from monitor.types import Decision, Verdict


def main(config: str, reviewer: str, die_before: str = "0") -> None:
    """Serve acts until standard input ends."""
    settings = load_file(Path(config))
    store = open_store(settings.database_url)
    with store.read():  # the connection and its pragmas are ready before the first act
        pass
    if int(die_before):
        _die_before(store, int(die_before))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        act = json.loads(line)
        while time.time() < act["start"]:  # spin: two processes start within microseconds of each other
            pass
        try:
            answer: Any = {"ok": _do(store, settings, reviewer, act)}
        except RefusedError as error:
            answer = {"refused": error.reason}
        print(json.dumps(answer), flush=True)


def _do(store: Store, settings: Settings, reviewer: str, act: dict[str, Any]) -> int:
    """The id of the alert or silence, or how many alerts the stage opened or escalated."""
    now = datetime.fromisoformat(act["now"])
    match act["act"]:
        case "take":
            row = queue.take(store, settings, reviewer, now, act.get("id"))
        case "release":
            row = queue.release(store, settings, reviewer, now, act["id"])
        case "undo":
            row = queue.undo(store, settings, reviewer, now, act["id"])
        case "dispatch":
            return int(dispatch(store, settings, now).counts["opened"] or 0)
        case "escalate":
            return int(escalate(store, settings, now).counts["escalated"] or 0)
        case "silence":
            matchers = SilenceMatchers.read(["lang=zh-Hant"])
            silence = silences.add(store, settings, matchers, reviewer, "密函", now, now + timedelta(hours=1))
            return int(silence["id"])
        case "expire":
            return int(silences.expire(store, settings, act["id"], reviewer, "夠了", now)["id"])
        case _:
            row = queue.decide(
                store, settings, reviewer, now, act["id"], Decision.CLARIFY, Verdict.PARTLY_FALSE, "名單上仍有她"
            )
    return int(row["id"])


def _die_before(store: Store, statement: int) -> None:
    sent = count(1)

    def perhaps_die(*_arguments: object) -> None:
        if next(sent) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(store.engine, "before_cursor_execute", perhaps_die)
    event.listen(store.engine, "commit", perhaps_die)


if __name__ == "__main__":
    main(*sys.argv[1:])
