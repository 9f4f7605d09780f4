"""What must hold of any input at the doors that strangers reach: functions of bytes that raise where it does not.

`tests/fuzz.py` looks for inputs that break them; `tests/test_doors.py` tries them on what Hypothesis makes up.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from classifiers import registry
from classifiers.assess import Bench
from classifiers.cli import _judge_rows
from classifiers.examples import parse_lines
from monitor import opml
from monitor.config import load_file
from monitor.errors import ConfigError, FeedError, InputError
from monitor.invisible import safe
from monitor.parse import complete, parse
from monitor.reference import load_facts, load_watchlist

URL = "https://feeds.example/rss"
TYPES = (None, "application/rss+xml", "text/html; charset=big5", "application/xml; charset=utf-16", "application/json")
ZONE = ZoneInfo("Asia/Hong_Kong")


def feed(data: bytes) -> None:
    """A document gives entries or a FeedError; nothing invisible comes through; with marks it gives the same again."""
    content_type, body = TYPES[data[0] % len(TYPES)] if data else None, data[1:]
    try:
        first = parse(body, URL, content_type, ZONE)
    except FeedError as error:
        _one_line(error)
        return
    for entry in first.entries:
        for said in (entry.title, entry.summary, entry.link or ""):
            said.encode("utf-8")
            assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in said), said
    marks = [mark for mark in first.marks if mark]
    known = dict(zip(first.marks, first.entries, strict=True)) if len(marks) == len(first.entries) else {}
    again = parse(body, URL, content_type, ZONE, known=frozenset(known))
    assert complete(again, known) == first.entries, "an entry that is known is read otherwise"


def feed_list(data: bytes) -> None:
    """A list gives feeds, which go out and come in again the same, or an InputError in one line."""
    try:
        lines = opml.read(data)
    except InputError as error:
        _one_line(error)
        return
    for line in lines:
        assert line.url.lower().startswith(("http://", "https://")), line
        assert safe(line.outlet or "") == (line.outlet or ""), line


def configuration(data: bytes) -> None:
    """A file gives settings or a ConfigError, whichever of the files of a desk it is."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        file = Path(folder) / "pollwatch.toml"
        file.write_bytes(data)
        for name in ("watchlist.toml", "facts.toml"):
            (Path(folder) / name).write_bytes(data)
        try:
            settings = load_file(file)
        except ConfigError as error:
            _one_line(error)
            file.write_bytes(b"")
            settings = load_file(file)
        for load in (load_watchlist, load_facts):
            try:
                load(settings)
            except ConfigError as error:
                _one_line(error)


def texts(data: bytes) -> None:
    """A line of `classify` gives one answer in JSON with a score from 0 to 1, or an InputError."""
    lines = data.decode("utf-8", "replace").splitlines()
    try:
        rows = list(parse_lines(lines, "-"))
        answers = list(_judge_rows(rows, _bench()))
    except InputError as error:
        _one_line(error)
        return
    assert len(answers) == len(rows)
    for answer in answers:
        assert 0 <= answer["score"] <= 1, answer
        json.dumps(answer, ensure_ascii=False).encode("utf-8")


def _one_line(error: Exception) -> None:
    """Whatever prints it takes out what steers a terminal; lines it leaves."""
    assert len(str(error).splitlines()) == 1, error


@cache
def _bench() -> Bench:
    return Bench.of(*registry.default_model(), None)


DOORS: dict[str, Callable[[bytes], None]] = {
    "parse": feed,
    "opml": feed_list,
    "config": configuration,
    "classify": texts,
}
