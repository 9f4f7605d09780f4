"""Publishers in processes of their own, some of which kill themselves, as `kill -9` does, in the middle of it.

Usage: publisher_process.py CONFIG INSTANT. Each line of standard input is a JSON list of numbers: for each a process
publishes, all at once, and dies just before its n-th access to the database or the folder; 0: never; below 0: before
the n-th after the commit. The answer is a line of JSON: for each ``killed``, ``accesses``, and ``done``, what
`publish --json` prints, or the refusal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from alerts.publish import publish
from monitor.config import load_file
from monitor.errors import PollwatchError
from monitor.store import open_store

_PATHS = {"open", "os.mkdir", "os.link", "os.symlink", "os.rename", "os.rmdir", "os.remove", "os.scandir", "os.listdir"}


def main(config: str, instant: str) -> None:
    """Serve until standard input ends."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        started = [_start(config, datetime.fromisoformat(instant), number) for number in json.loads(line)]
        print(json.dumps([_wait(*each) for each in started]), flush=True)


def _start(config: str, now: datetime, die_before: int) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    answer = json.dumps(_publish(config, now, die_before), default=str)
    os.write(writing, answer.encode())
    os._exit(0)


def _wait(child: int, reading: int) -> dict[str, Any]:
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or os.WEXITSTATUS(status) == 0
    return {"killed": killed, **(json.loads(said) if said else {"accesses": 0, "done": None})}


def _publish(config: str, now: datetime, die_before: int) -> dict[str, Any]:
    settings = load_file(Path(config))
    store = open_store(settings.database_url)
    with store.read():  # the connection and its pragmas are ready before anything counts
        pass
    folder, count, since_commit = str(Path(config).parent), 0, None

    def access(*_: object) -> None:
        nonlocal count, since_commit
        count += 1
        since_commit = None if since_commit is None else since_commit - 1
        if die_before and die_before in (count, since_commit):
            os.kill(os.getpid(), signal.SIGKILL)

    def committing(*_: object) -> None:
        nonlocal since_commit
        access()
        since_commit = 0

    def audited(name: str, arguments: tuple[Any, ...]) -> None:
        if name in _PATHS and arguments and str(arguments[0]).startswith(folder):
            access()

    event.listen(store.engine, "before_cursor_execute", access)
    event.listen(store.engine, "commit", committing)
    sys.addaudithook(audited)
    try:
        done = publish(store, settings, "lead", now).as_json()
    except PollwatchError as error:
        done = {"refused": str(error)}
    return {"accesses": count, "done": done}


if __name__ == "__main__":
    main(*sys.argv[1:])
