"""What must hold of any input at all, for the four doors that strangers reach; and a fuzzer that looks for exceptions.

    python -m tests.fuzz parse --minutes 60 --corpus DIR     (needs `pip install atheris`; also opml, config, classify)

Each door is a function of bytes that raises what is promised to nobody: `tests/test_fuzz.py` runs it over inputs that
were once found, and over what Hypothesis makes up.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor import opml
from monitor.config import load_file
from monitor.errors import ConfigError, FeedError, InputError
from monitor.parse import complete, parse
from monitor.reference import load_facts, load_watchlist

URL = "https://feeds.example/rss"
TYPES = (None, "application/rss+xml", "text/html; charset=big5", "application/xml; charset=utf-16", "application/json")
ZONE = ZoneInfo("Asia/Hong_Kong")
FOUND = Path(__file__).parent / "data" / "fuzz"


def feed(data: bytes) -> None:
    """A document gives entries or a FeedError; nothing invisible comes through; with marks it gives the same again."""
    content_type, body = TYPES[data[0] % len(TYPES)] if data else None, data[1:]
    try:
        first = parse(body, URL, content_type, ZONE)
    except FeedError as error:
        assert str(error).isprintable(), error
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
        assert "\n" not in str(error), error
        return
    for line in lines:
        assert line.url.startswith(("http://", "https://")), line
        assert line.outlet is None or line.outlet.isprintable(), line


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
            assert str(error).isprintable(), error
            file.write_bytes(b"")
            settings = load_file(file)
        for load in (load_watchlist, load_facts):
            try:
                load(settings)
            except ConfigError as error:
                assert str(error).isprintable(), error


def texts(data: bytes) -> None:
    """A line of `classify` gives one answer in JSON with a score from 0 to 1, or an InputError."""
    from classifiers.cli import _judge_rows
    from classifiers.examples import parse_lines

    lines = data.decode("utf-8", "surrogatepass" if data[:1] == b"\0" else "replace").splitlines()
    try:
        rows = list(parse_lines(lines, "-"))
        answers = list(_judge_rows(rows, _bench()))
    except InputError as error:
        assert "\n" not in str(error), error
        return
    assert len(answers) == len(rows)
    for answer in answers:
        assert 0 <= answer["score"] <= 1, answer
        json.dumps(answer, ensure_ascii=False).encode("utf-8")


@cache
def _bench():  # type: ignore[no-untyped-def]
    from classifiers import registry
    from classifiers.assess import Bench

    return Bench.of(*registry.default_model(), None)


DOORS: dict[str, Callable[[bytes], None]] = {
    "parse": feed,
    "opml": feed_list,
    "config": configuration,
    "classify": texts,
}


def main() -> None:
    """Fuzz one door until the time is over or something is found; libFuzzer writes that beside the corpus."""
    options = argparse.ArgumentParser()
    options.add_argument("door", choices=DOORS)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--corpus", type=Path, required=True, help="a folder of inputs to begin with; grows")
    given = options.parse_args()

    import atheris  # type: ignore[import-not-found]

    given.corpus.mkdir(parents=True, exist_ok=True)
    os.environ.pop("POLLWATCH_CONFIG", None)
    atheris.instrument_all()
    flags = [f"-max_total_time={int(given.minutes * 60)}", "-timeout=10", "-rss_limit_mb=2000", "-max_len=6000"]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={given.corpus}/../found-{given.door}-", str(given.corpus)], DOORS[given.door])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
