"""Running reviewer processes, for tests of what happens between them and when they die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.config import Settings

SCRIPT = Path(__file__).with_name("reviewer_process.py")


class Reviewer:
    """A running reviewer_process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def send(self, start: float, now: datetime, **act: Any) -> None:
        """Ask for an act at the instant ``start``."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"start": start, "now": now.isoformat(), **act}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """The next answer; None when the process died without one."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        return json.loads(line) if line else None


@contextmanager
def reviewer(settings: Settings, name: str, die_before: int = 0) -> Iterator[Reviewer]:
    """A process that acts as ``name``; with ``die_before`` it dies at that statement. Killed at the end."""
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), settings.file, name, str(die_before)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        found = Reviewer(process)
        try:
            assert found.answer() == "ready"
            yield found
        finally:
            process.kill()
