"""The log of a test, as the program writes it; what it changes in this process is put back."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from monitor import logs

_NAMES = ("", "pollwatch", "monitor", "classifiers", "alerts")


class Log(io.StringIO):
    """What was written; as JSON with the style that asks for it."""

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """Every line, or those of one name."""
        found = [json.loads(line) for line in self.getvalue().splitlines()]
        return [line for line in found if event is None or line["event"] == event]


@contextmanager
def logged(style: logs.Style = "json", level: logs.Level = "debug") -> Iterator[Log]:
    """The log of what is done inside."""
    loggers = [logging.getLogger(name) for name in _NAMES]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    hook, secrets, written = sys.excepthook, set(logs._secrets), Log()
    try:
        with redirect_stderr(written):
            logs.to_stderr(style, level)
            yield written
    finally:
        sys.excepthook = hook
        logs._secrets.clear()
        logs._secrets.update(secrets)
        for logger, was, handlers in before:
            logger.setLevel(was)
            logger.handlers[:] = handlers
