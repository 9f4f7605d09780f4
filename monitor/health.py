"""How each feed is, in a word and a sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import FeedErrorKind
from monitor.language import _
from monitor.rhythm import clock_error_s, expected
from monitor.types import Feed, Said

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


def named(word: str) -> str:
    """A word as people read it, in the language in use; the word itself when all is well."""
    return {
        Word.GONE: _("gone"),
        Word.DISABLED: _("switched off"),
        Word.HTML: _("a page, no feed"),
        Word.FAILING: _("failing"),
        Word.NEW: _("not asked yet"),
        Word.MOVED: _("moved"),
        Word.SILENT: _("silent"),
        Word.CLOCK_OFF: _("clock off"),
        Word.SLOW: _("slow"),
        Word.MALFORMED: _("malformed"),
        Word.OK: _("ok"),
    }[Word(word)]


@dataclass(frozen=True, slots=True)
class Health:
    """A word, and a sentence that says why; None when there is nothing to say."""

    word: Word
    said: Said | None = None

    @property
    def sentence(self) -> str:
        """In English; empty when there is nothing to say."""
        return self.said.text if self.said else ""


def health(feed: Feed, zone: ZoneInfo) -> Health:
    """How ``feed`` was when it was last asked; ``zone`` is that of its rhythm.

    Of several things that are wrong the worst gives the word, and the sentence names them all.
    """
    error = _error(feed)
    if not feed.enabled:
        gone = feed.error_kind == FeedErrorKind.GONE
        return Health(Word.GONE, error) if gone else Health(Word.DISABLED, error or Said("switched off"))
    if error:
        word = Word.HTML if feed.error_kind == FeedErrorKind.HTML else Word.FAILING
        again = Said("{error} ({count} times in a row)", {"error": error, "count": feed.failures})
        return Health(word, error if feed.failures < 2 else again)
    if feed.last_success_at is None:
        waits = feed.next_check_at is not None and feed.last_attempt_at is None
        return Health(Word.NEW, Said("waits, for its host refused another feed") if waits else None)
    slow = (feed.answer_s or 0) >= SLOW_S
    notes = {
        Word.MOVED: _move(feed, zone),
        Word.SILENT: _silence(feed, feed.last_success_at, zone),
        Word.CLOCK_OFF: _clock(feed),
        Word.SLOW: Said("its last answer took {count} s", {"count": f"{feed.answer_s:.0f}"}) if slow else None,
        Word.MALFORMED: Said(feed.warning) if feed.warning else None,
    }
    wrong = [(word, said) for word, said in notes.items() if said]
    if not wrong:
        return Health(Word.OK)
    word, sentence = wrong[0]
    for _word, said in wrong[1:]:
        sentence = Said("{first}; {then}", {"first": sentence, "then": said})
    return Health(word, sentence)


def coverage(feeds: Iterable[Feed], zone: ZoneInfo) -> dict[str, Any]:
    """How many feeds are in each group of GROUPS, and ``total``, and by ``words``; of those that need a look, which.

    ``failing_feeds``, ``disabled_feeds`` and ``unwell_feeds`` hold at most SHOWN each, the worst first, and of equals
    the longest without a good answer. Each has its word as ``health``, and its sentence in English as
    ``note`` and to be rendered as ``said``.
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
            rows.append({**row, "health": how.word, "note": how.sentence, "said": how.said})
    return {
        "total": len(found),
        "words": dict(Counter(how.word for _, how in found)),
        **{name: counts[name] for name in GROUPS},
        **{f"{name}_feeds": rows for name, rows in lists.items()},
    }


def as_json(covered: Mapping[str, Any]) -> dict[str, Any]:
    """What ``coverage`` returns, ready for JSON: its notes in English alone."""
    lists = {
        name: [{key: value for key, value in row.items() if key != "said"} for row in rows]
        for name, rows in covered.items()
        if name.endswith("_feeds")
    }
    return {**covered, **lists}


def _error(feed: Feed) -> Said | None:
    """In English the code of its kind, which people look for; elsewhere its name."""
    if not feed.error_kind:
        return None
    return Said("{feed_error}: {detail}", {"feed_error": feed.error_kind, "detail": feed.error_detail})


def _move(feed: Feed, zone: ZoneInfo) -> Said | None:
    if feed.moved_to is None or feed.moved_since is None:
        return None
    since = f"{feed.moved_since.astimezone(zone):%Y-%m-%d}"
    return Said("since {since} it redirects to {address}", {"since": since, "address": feed.moved_to})


def _silence(feed: Feed, until: datetime, zone: ZoneInfo) -> Said | None:
    """Silent against its own rhythm. Only the time in which it answered counts: our own absence is not its silence."""
    if feed.last_new_at is None:
        return Said("it answers, but has not listed one entry yet")
    silence = until - feed.last_new_at
    if feed.rhythm is None or silence < SILENT_AFTER:
        return None
    missing = expected(feed.rhythm, feed.last_new_at, until, zone)
    if missing < SILENT_ENTRIES:
        return None
    form = Said("nothing new for {span}, in which it used to bring {count} entries")
    return form.filled(span=_span(silence.total_seconds()), count=f"{missing:.0f}")


def _clock(feed: Feed) -> Said | None:
    error_s = clock_error_s(feed.rhythm) if feed.rhythm else 0
    if error_s >= BEHIND_S:
        return Said("the dates of its new entries are {span} behind our clock", {"span": _span(error_s)})
    if error_s <= -AHEAD_S:
        return Said("the dates of its new entries are {span} in the future", {"span": _span(-error_s)})
    return None


def _span(seconds: float) -> Said:
    """A span of ten minutes or more in words, rounded as people say it."""
    sizes = ((86_400, Said("{count} days")), (3600, Said("{count} hours")), (60, Said("{count} minutes")))
    size, form = next((each for each in sizes if seconds >= 2 * each[0]), sizes[-1])
    return form.filled(count=round(seconds / size))


def _last_good(feed: Feed) -> float:
    return feed.last_success_at.timestamp() if feed.last_success_at else 0.0
