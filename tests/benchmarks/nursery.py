"""Daemons that start at once, forked from a process that has all modules loaded, to be killed again and again.

What a start spends on imports would else be most of a short life.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

MARK = "KILLS_LANE"  # in the environment of all processes of a nursery
# Forks a daemon for each line, so that its modules are loaded once; the answers are its process and how it ended.
_NURSERY = """
import os, sys
import alerts.cli, alerts.daemon, alerts.edition, alerts.paper, alerts.pipeline, alerts.raster, apprise
from classifiers.background import common_words
from monitor.text import fold
common_words(), fold("漢字")
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        null, log = os.open(os.devnull, os.O_RDONLY), os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(null, 0), os.dup2(log, 1), os.dup2(log, 2)
        try:
            alerts.cli.main(["run"])
        except SystemExit as ended:
            sys.stderr.flush()
            os._exit(ended.code)
        os._exit(99)
    print(child, flush=True)
    sys.stdin.readline()
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Nursery:
    """Starts daemons in a folder, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = 0

    def start(self) -> None:
        """One more daemon."""
        self.pid = int(self._ask())

    def end(self, name: signal.Signals) -> int:
        """Send it a signal and wait; how it ended, as of `os.waitstatus_to_exitcode`."""
        os.kill(self.pid, name)  # nobody else's number: it is waited for below
        self.pid = 0
        return os.waitstatus_to_exitcode(int(self._ask()))

    def _ask(self) -> str:
        assert self._process.stdin
        assert self._process.stdout
        print(file=self._process.stdin, flush=True)
        return self._process.stdout.readline()

    def cpu_s(self) -> float | None:
        """The processor time that the daemon has used; None when it has ended."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def nursery(folder: Path, mark: str, environment: Mapping[str, str]) -> Iterator[Nursery]:
    """Daemons of this folder, whose processes bear ``mark`` and have this ``environment`` beside ours."""
    env = {**os.environ, **environment, MARK: mark, "OPENBLAS_NUM_THREADS": "1"}  # a fork takes no threads along
    with subprocess.Popen(
        [sys.executable, "-c", _NURSERY], cwd=folder, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        daemons = Nursery(process)
        try:
            yield daemons
        finally:
            if daemons.pid:
                os.kill(daemons.pid, signal.SIGKILL)
            assert process.stdin
            process.stdin.close()


def survivors(mark: str) -> list[str]:
    """Processes that bear ``mark``: what a daemon started and left behind."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200])
    return found
