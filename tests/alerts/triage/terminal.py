"""The desk as a program in a terminal: a process on a pseudo-terminal, and an emulator that is not Textual's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyte

from monitor.config import Settings

PATIENCE_S = 30.0
# The terminal must be the process's own, or nobody is told when it goes away.
_OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
KEYS = {"enter": "\r", "escape": "\x1b", "down": "\x1b[B", "up": "\x1b[A", "pagedown": "\x1b[6~", "end": "\x1b[F"}


class Terminal:
    """Somebody's terminal, in which the desk runs."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, size: tuple[int, int], *, emulated: bool) -> None:
        self.process, self._master, self._emulated = process, master, emulated
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""

    def press(self, *keys: str) -> None:
        """Keys by name, other words as they are."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def sees(self, words: str) -> None:
        """Wait until the words stand on the screen."""
        self.until(lambda: words in self.text, words)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Read what the desk draws until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.text}"
            self.read(0.05)

    def read(self, wait_s: float, at_most: int = 1 << 16) -> bool:
        """What the desk has drawn meanwhile, ``at_most`` so many bytes of it; whether it was anything."""
        if not select.select([self._master], [], [], wait_s)[0]:
            return False
        try:
            found = os.read(self._master, at_most)
        except OSError:  # the process has gone
            return False
        self.written += found
        if self._emulated:
            self.emulate(found)
        return bool(found)

    def emulate(self, written: bytes) -> None:
        """Draw on the screen."""
        self._stream.feed(written)

    @property
    def text(self) -> str:
        """The words of the screen, each line without the spaces at its end."""
        return "\n".join(line.rstrip() for line in self.lines)

    @property
    def lines(self) -> list[str]:
        """As they stand. Half of a wide character that was drawn over is nothing (pyte's own ``display`` fails)."""
        places = range(self.screen.columns)
        return ["".join(row[place].data for place in places) for row in map(self._row, range(self.screen.lines))]

    def _row(self, line: int) -> Any:
        return self.screen.buffer[line]

    def hang_up(self) -> None:
        """The line is cut, as when SSH dies."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End whatever is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)


@contextmanager
def terminal(
    settings: Settings,
    reviewer: str,
    size: tuple[int, int] = (120, 40),
    *words: str,
    environment: Mapping[str, str] | None = None,
    emulated: bool = True,
) -> Iterator[Terminal]:
    """`pollwatch triage` in a terminal of ``size`` (columns, lines); one that is not emulated keeps bytes alone."""
    master, slave = pty.openpty()
    columns, lines = size
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    command = [sys.executable, "-m", "alerts", "-c", settings.file, *words, "triage", "--reviewer", reviewer]
    known = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "LC_ALL", "TMUX")}
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN, *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={
            **known,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            **(environment or {}),
        },
    )
    os.close(slave)
    found = Terminal(process, master, size, emulated=emulated)
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            found.close()
