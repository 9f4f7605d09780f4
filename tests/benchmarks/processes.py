"""What a command and everything it starts cost: time on the clock, time on the processors, memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PERIOD_S = 0.05  # between two looks at the memory
LINGER_S = 5.0  # for processes that outlive the one that started them
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Tree:
    """The processes of one session: how many bytes of memory they hold together, and which they are."""

    rss: int
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """``wall_s`` until the command ended; ``cpu_s`` and ``peak_rss`` (bytes) with all that it started."""

    wall_s: float
    cpu_s: float
    peak_rss: int
    ended: bool  # by itself; else we ended it, it took too long


def adopt_orphans() -> None:
    """From now on processes whose parent ended become our children: their CPU time counts, and none is left behind."""
    if ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1) != 0:
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER) failed")


def measure(command: Sequence[str | Path], env: Mapping[str, str], folder: Path, timeout_s: float) -> Usage:
    """Run ``command`` in ``folder``; its output goes to the files ``stdout`` and ``stderr`` there.

    Call ``adopt_orphans`` before. The memory is the sum of RSS over the tree, looked at every PERIOD_S: pages that
    processes share count for each, so the figure is an upper bound.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, ended = 0, False
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        begun = time.perf_counter()
        wall_s = 0.0
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            with os.fdopen(os.pidfd_open(process.pid)) as end:
                while not ended and wall_s < timeout_s:
                    ended = bool(select.select([end], [], [], PERIOD_S)[0])
                    wall_s = time.perf_counter() - begun
                    peak = max(peak, tree(process.pid).rss)
        finally:
            end_session(process, LINGER_S if ended else 0.0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(wall_s, cpu_s, peak, ended)


def tree(session: int) -> Tree:
    """The processes of a session now. One that ends while we look is not counted."""
    rss, pids = 0, []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session:
                    rss += int(fields[21]) * _PAGE
                    pids.append(int(process.name))
    return Tree(rss, tuple(pids))


def end_session(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Wait for what is left of the session that ``process`` leads, asking it to end after ``patience_s``."""
    for patience, last_word in ((patience_s, signal.SIGTERM), (LINGER_S, signal.SIGKILL), (LINGER_S, None)):
        until = time.monotonic() + patience
        while pids := tree(process.pid).pids:
            process.poll()
            for pid in pids:
                if pid != process.pid:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        if not pids:
            return
        if last_word is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, last_word)
