"""How each feed is, in a word and a sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import FeedErrorKind
from monitor.rhythm import clock_error_s, expected
from monitor.types import Feed

SILENT_AFTER = timedelta(days=1)  # and SILENT_ENTRIES that were to be expected: a quiet Sunday is no silence
SILENT_ENTRIES = 20
SLOW_S = 10
BEHIND_S, AHEAD_S = 3600, 600  # of a feed's dates against our clock, beyond what publishing takes
SHOWN = 50  # feeds of a list; the count beside it says how many there are


class Word(StrEnum):
    """How a feed is, the worst first."""

    GONE = "gone"
    DISABLED = "disabled"
    HTML = "html"
    FAILING = "failing"
    NEW = "new"
    MOVED = "moved"
    SILENT = "silent"
    CLOCK_OFF = "clock-off"
    SLOW = "slow"
    MALFORMED = "malformed"
    OK = "ok"


# What somebody has to do about it: nothing, look, mend, wait, decide.
GROUPS = {
    "ok": (Word.OK,),
    "unwell": (Word.MOVED, Word.SILENT, Word.CLOCK_OFF, Word.SLOW, Word.MALFORMED),
    "failing": (Word.HTML, Word.FAILING),
    "new": (Word.NEW,),
    "disabled": (Word.GONE, Word.DISABLED),
}


@dataclass(frozen=True, slots=True)
class Health:
    """A word, and a sentence that says why; empty when there is nothing to say."""

    word: Word
    sentence: str = ""


def health(feed: Feed, zone: ZoneInfo) -> Health:
    """How ``feed`` was when it was last asked; ``zone`` is that of its rhythm.

    Of several things that are wrong the worst gives the word, and the sentence names them all.
    """
    error = f"{feed.error_kind}: {feed.error_detail}" if feed.error_kind else ""
    if not feed.enabled:
        gone = feed.error_kind == FeedErrorKind.GONE
        return Health(Word.GONE, error) if gone else Health(Word.DISABLED, error or "switched off")
    if error:
        word = Word.HTML if feed.error_kind == FeedErrorKind.HTML else Word.FAILING
        return Health(word, error if feed.failures < 2 else f"{error} ({feed.failures} times in a row)")
    if feed.last_success_at is None:
        return Health(Word.NEW)
    notes = {
        Word.MOVED: _move(feed, zone),
        Word.SILENT: _silence(feed, feed.last_success_at, zone),
        Word.CLOCK_OFF: _clock(feed),
        Word.SLOW: f"its last answer took {feed.answer_s:.0f} s" if (feed.answer_s or 0) >= SLOW_S else "",
        Word.MALFORMED: feed.warning or "",
    }
    wrong = [word for word, sentence in notes.items() if sentence]
    return Health(wrong[0], "; ".join(notes[word] for word in wrong)) if wrong else Health(Word.OK)


def coverage(feeds: Iterable[Feed], zone: ZoneInfo) -> dict[str, Any]:
    """How many feeds are in each group of GROUPS, and ``total``, and by ``words``; of those that need a look, which.

    ``failing_feeds``, ``disabled_feeds`` and ``unwell_feeds`` hold at most SHOWN each, the worst first, and of equals
    the longest without a good answer.
    """
    worst = list(Word)
    group_of = {word: name for name, words in GROUPS.items() for word in words}
    found = [(feed, health(feed, zone)) for feed in feeds]
    counts = Counter(group_of[how.word] for _, how in found)
    lists: dict[str, list[dict[str, Any]]] = {"failing": [], "disabled": [], "unwell": []}
    for feed, how in sorted(found, key=lambda pair: (worst.index(pair[1].word), _last_good(pair[0]), pair[0].id)):
        rows = lists.get(group_of[how.word])
        if rows is not None and len(rows) < SHOWN:
            names = ("id", "url", "outlet", "role", "failures", "error_kind", "error_detail", "last_success_at")
            row = {name: getattr(feed, name) for name in (*names, "last_new_at")}
            rows.append({**row, "health": how.word, "note": how.sentence})
    return {
        "total": len(found),
        "words": dict(Counter(how.word for _, how in found)),
        **{name: counts[name] for name in GROUPS},
        **{f"{name}_feeds": rows for name, rows in lists.items()},
    }


def _move(feed: Feed, zone: ZoneInfo) -> str:
    if feed.moved_to is None or feed.moved_since is None:
        return ""
    return f"since {feed.moved_since.astimezone(zone):%d %B} it redirects to {feed.moved_to}"


def _silence(feed: Feed, until: datetime, zone: ZoneInfo) -> str:
    """Silent against its own rhythm. Only the time in which it answered counts: our own absence is not its silence."""
    if feed.last_new_at is None:
        return "it answers, but has not listed one entry yet"
    silence = until - feed.last_new_at
    if feed.rhythm is None or silence < SILENT_AFTER:
        return ""
    missing = expected(feed.rhythm, feed.last_new_at, until, zone)
    if missing < SILENT_ENTRIES:
        return ""
    return f"nothing new for {_span(silence.total_seconds())}, in which it used to bring {missing:.0f} entries"


def _clock(feed: Feed) -> str:
    error_s = clock_error_s(feed.rhythm) if feed.rhythm else 0
    if error_s >= BEHIND_S:
        return f"the dates of its new entries are {_span(error_s)} behind our clock"
    if error_s <= -AHEAD_S:
        return f"the dates of its new entries are {_span(-error_s)} in the future"
    return ""


def _span(seconds: float) -> str:
    """A span in words, rounded as people say it."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and word == "minute"):
            number = round(seconds / size)
            return f"{number} {word}s" if number != 1 else f"1 {word}"
    return f"{seconds:.0f} s"


def _last_good(feed: Feed) -> float:
    return feed.last_success_at.timestamp() if feed.last_success_at else 0.0
