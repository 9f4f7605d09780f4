"""The log: a line for each thing, on stderr, as words for a person or as JSON for a machine. The one door of structlog.

Code speaks through ``logging`` as libraries do, and through ``tell`` where a line has a name and keys: they come out
alike. Names are those of the audit, `noun.verb`, and `item` is the id of an item in the store, in every stage.

What a transaction does is said once it is committed: a kill or an error before that has left nothing to speak of.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from datetime import datetime
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote, unquote

from monitor import tracing
from monitor.invisible import safe

Style = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]

_ROOMS = ("pollwatch", "monitor", "classifiers", "alerts")
_KEYS = "told"  # attribute of a record: the keys of ``tell``
_OURS = frozenset({"timestamp", "level", "logger"})  # keys whose values nobody else gives
_MASK = "***"
_SHORTEST = 4  # characters of a secret; shorter ones would blacken words

_log = logging.getLogger("pollwatch")
_unsaid: ContextVar[list[tuple[int, str, Mapping[str, Any]]] | None] = ContextVar("unsaid", default=None)
_secrets: set[str] = set()


def tell(event: str, level: int = logging.INFO, /, **keys: Any) -> None:
    """One line with this name and these keys; inside of a transaction it waits for the commit."""
    if not _log.isEnabledFor(level):
        return
    waiting = _unsaid.get()
    if waiting is None:
        _log.log(level, event, extra={_KEYS: keys})
    else:
        waiting.append((level, event, keys))


@contextlib.contextmanager
def when_done() -> Iterator[None]:
    """What is told inside is said at its end, or never, if it ends with an error."""
    waiting: list[tuple[int, str, Mapping[str, Any]]] = []
    before = _unsaid.set(waiting)
    try:
        yield
    finally:
        _unsaid.reset(before)
    for level, event, keys in waiting:
        _log.log(level, event, extra={_KEYS: keys})


def hide(secret: str) -> None:
    """From here on no line shows this, nor as an address spells it; whoever reads a secret says so here."""
    for spelt in (secret, quote(secret, safe=""), unquote(secret)):
        if len(spelt) >= _SHORTEST:
            _secrets.add(spelt)


def hidden(text: str) -> str:
    """``text`` without any secret."""
    for secret in sorted(_secrets, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, _MASK)
    return text


def to_stderr(style: Style, level: Level) -> None:
    """From here on we and every library speak so on stderr; libraries of warnings alone, but with `debug`."""
    _HANDLER.style = style
    root, wanted = logging.getLogger(), logging.getLevelNamesMapping()[level.upper()]
    of_others = logging.INFO if wanted == logging.DEBUG else max(wanted, logging.WARNING)
    root.setLevel(of_others)
    for room in _ROOMS:
        logging.getLogger(room).setLevel(wanted)
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("a fault of the program", exc_info=(kind, error, trace))


class _ToStderr(logging.Handler):
    """Whatever stderr is at that moment: a full screen puts something else in its place."""

    style: Style = "console"

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Style, logging.Formatter] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.style not in self._made:  # structlog is loaded with the first line: most commands have none
                self._made[self.style] = _formatter(self.style)
            sys.stderr.write(self._made[self.style].format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as every handler of logging: a line that cannot be written ends nothing
            self.handleError(record)


_HANDLER = _ToStderr()


def _formatter(style: Style) -> logging.Formatter:
    import structlog

    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    # Tracebacks are plain words: others show the values of variables, and so what nobody should see.
    words = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_gather],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _clean,
            words if style == "console" else structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )


def _gather(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When, how grave, what, of whom: the same first keys in every line."""
    record: logging.LogRecord = line["_record"]
    when = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
    return {
        "timestamp": when,
        "level": record.levelname.lower(),
        "logger": record.name,
        **line,
        **tracing.ids(),
        **getattr(record, _KEYS, {}),
    }


def _clean(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key in _OURS else _cleaned(value, key) for key, value in line.items()}


def _cleaned(value: Any, key: str = "") -> Any:
    """Words of feeds and servers stand in the log: none of them may steer who reads it, or begin a line."""
    if isinstance(value, str):
        lines = hidden(value).split("\n") if key == "exception" else [hidden(value)]
        return "\n".join(map(safe, lines))
    if isinstance(value, Mapping):
        return {safe(str(name)): _cleaned(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float)) else _cleaned(str(value))
