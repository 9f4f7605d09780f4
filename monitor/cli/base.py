"""What every command shares: the configuration in use, printing for people and for machines."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor import language, logs
from monitor.invisible import INVISIBLE, safe
from monitor.language import _

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console

    from monitor.config import Settings
    from monitor.store import Store
    from monitor.types import Said

F = TypeVar("F", bound=Callable[..., Any])


# The zone in which times are shown to people: the election's, once a configuration is read.
_clock: ContextVar[tzinfo | None] = ContextVar("clock", default=None)


NUMBER = click.IntRange(1, 2**63 - 1)  # what a database can count
WIDE = 110  # columns of a terminal from which every column of a table is shown
NARROW_COLUMN = 23


@dataclass(frozen=True, slots=True)
class Context:
    """What `pollwatch -c FILE` set."""

    config_file: str | None
    language: str | None = None  # of the command line

    def settings(self) -> Settings:
        """The configuration; from here on people are spoken to as it asks. Raises ConfigError."""
        from monitor.config import load

        settings = load(self.config_file)
        logs.to_stderr(settings.logs.format, settings.logs.level or "warning")
        _clock.set(settings.calendar.zone)
        language.use(self.language or language.wanted(os.environ, settings.triage.language))
        return settings

    @contextlib.contextmanager
    def store(self) -> Iterator[tuple[Store, Settings]]:
        """The store of the configuration, its schema checked."""
        from monitor.store import migrate, open_store

        settings = self.settings()
        store = open_store(settings.database_url)
        try:
            migrate.check(store)
            yield store, settings
        finally:
            store.close()


pass_context = click.pass_obj


def json_option(function: F) -> F:
    """``--json``, on every command that prints."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON: one object, or one line for each row.")(
        function
    )


def example(*lines: str) -> str:
    """The epilog of a command: real lines to type."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def now() -> datetime:
    """The one place where a command reads the clock."""
    return datetime.now(UTC)


def reviewer_name(given: str | None) -> str:
    """Who acts: the option, else $POLLWATCH_REVIEWER, else the login name."""
    try:
        name = given or os.environ.get("POLLWATCH_REVIEWER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = ""
    if not safe(name).strip():
        raise click.UsageError("say who acts: --reviewer NAME or POLLWATCH_REVIEWER")
    return safe(name).strip()


def instant(text: str, zone: ZoneInfo, option: str = "--since") -> datetime:
    """An ISO 8601 date or time given on the command line; without an offset it is local to ``zone``."""
    try:
        moment = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year <= 2100:  # the ends of the calendar have no neighbours to compare with
        raise click.BadParameter("not a time; try 2026-11-30T07:30 or 2026-11-30", param_hint=option)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def since_option(function: F) -> F:
    """``--since``, on every listing with instants."""
    text = "From this date or time on; without an offset it is election time."
    return click.option("--since", metavar="TIME", help=text)(function)


def say(message: str) -> None:
    """Progress and warnings, on stderr; each line made safe for the terminal."""
    for line in message.split("\n"):
        click.echo(safe(logs.hidden(line)), err=True)


def spoken(said: Said) -> str:
    """A sentence in the reader's language, its instants in the election's zone."""
    return language.render(said, _clock.get())


def print_result(row: Mapping[str, Any], as_json: bool, sentence: str) -> None:
    """How every act ends: its row for machines, or a sentence for people."""
    if as_json:
        print_object(row)
    else:
        click.echo(safe(sentence))


def print_object(data: Mapping[str, Any]) -> None:
    """One JSON object on stdout; invisible characters stand in it as escapes."""
    click.echo(INVISIBLE.sub(_escaped, json.dumps(data, ensure_ascii=False, default=_plain)))


def print_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    """JSON Lines on stdout."""
    for row in rows:
        print_object(row)


def make_console() -> Console:
    """Where tables and wrapped text are written: as wide as the terminal; in a file or a pipe nothing is cut."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            """Told to the root like any other closed pipe; rich would end the process with 1."""
            raise  # noqa: PLE0704 - rich calls this while it handles the BrokenPipeError

    width = None if sys.stdout.isatty() else 10_000
    return PlainConsole(file=sys.stdout, width=width, highlight=False, markup=False)


def print_table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str | tuple[str, str]],
    *,
    empty: str,
    wide: Sequence[str] = (),
    plain: bool = False,
) -> None:
    """A table for people; ``columns`` are keys, or (key, heading). ``empty`` goes to stderr when there is no row.

    With ``plain`` no table: each row is a paragraph of lines with its headings, as a screen reader reads it well.

    On a terminal each row is one line: the last column, the long one, takes what is left and is cut, and the keys of
    ``wide`` are shown only where there is room. In a file or a pipe nothing is left out.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        say(empty)
        return
    if plain:
        _print_paragraphs(rows, columns)
        return
    terminal = sys.stdout.isatty()
    console = make_console()
    narrow = terminal and console.width < WIDE
    pairs = _headed(columns)
    pairs = [(key, heading) for key, heading in pairs if not (narrow and key in wide)]
    lines = [[cell(row.get(key)) for key, _heading in pairs] for row in rows]
    headings = [heading for _key, heading in pairs]
    widths = [max(map(cell_len, words)) for words in zip(*lines, headings, strict=True)]
    if narrow:
        widths[:-1] = [min(width, NARROW_COLUMN) for width in widths[:-1]]
    if terminal:
        left = console.width - sum(widths[:-1]) - 2 * (len(widths) - 1)
        widths[-1] = max(NARROW_COLUMN, min(widths[-1], left))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width)
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _headed(columns: Sequence[str | tuple[str, str]]) -> list[tuple[str, str]]:
    return [(column, column.replace("_", " ")) if isinstance(column, str) else column for column in columns]


def _print_paragraphs(rows: Iterable[Mapping[str, Any]], columns: Sequence[str | tuple[str, str]]) -> None:
    for number, row in enumerate(rows):
        if number:
            click.echo()
        for key, heading in _headed(columns):
            if (value := cell(row.get(key))) != "-":
                click.echo(f"{heading}: {value}")


def cell(value: Any) -> str:
    """A value as a person reads it in a table; times in the election's zone."""
    if value is None or value in ("", [], ()):
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return value.astimezone(_clock.get()).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(v) for v in value)
    return safe(str(value))


def _escaped(char: re.Match[str]) -> str:
    return json.dumps(char.group())[1:-1]


def _plain(value: Any) -> Any:
    """What JSON has no type for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
