"""How each feed is, in a word and a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.health import GROUPS, SHOWN, Word, coverage, health
from monitor.types import Feed, Rhythm, Role

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
DAY = timedelta(days=1)
TEN_A_DAY = Rhythm(entries=(10 * 14 / 48,) * 48, hours=(7.0,) * 48, until=NOW, listed=20)
WELL = Feed(
    3, "https://a.example/rss", "海港日報", Role.MEDIA, None, enabled=True,
    last_attempt_at=NOW, last_success_at=NOW, last_new_at=NOW, answer_s=0.2, rhythm=TEN_A_DAY,
)  # fmt: skip


def said(**state: object) -> tuple[str, str]:
    """Word and sentence of a feed that is well but for ``state``."""
    found = health(replace(WELL, **state), HONG_KONG)  # type: ignore[arg-type]  # the fields of Feed
    return found.word, found.sentence


def test_a_feed_that_is_well_needs_no_sentence() -> None:
    """Answering, with something new; or never asked yet."""
    assert said() == ("ok", "")
    assert said(rhythm=None, answer_s=None) == ("ok", "")
    assert said(last_success_at=None, last_new_at=None, rhythm=None) == ("new", "")


def test_one_that_waits_before_its_first_turn_says_why() -> None:
    """Another feed of its host was refused: nobody would know why it is new for hours."""
    waiting = {"last_success_at": None, "last_attempt_at": None, "last_new_at": None, "rhythm": None}
    assert said(**waiting) == ("new", "")
    assert said(**waiting, next_check_at=NOW + DAY) == ("new", "waits, for its host refused another feed")


def test_one_that_cannot_be_read_says_why() -> None:
    """A web page instead of a feed has a word of its own; repeated failures are counted."""
    assert said(error_kind="timeout", error_detail="late", failures=1) == ("failing", "timeout: late")
    assert said(error_kind="dns", error_detail="no name", failures=4) == ("failing", "dns: no name (4 times in a row)")
    assert said(error_kind="html", error_detail="a web page", failures=1) == ("html", "html: a web page")


def test_one_that_is_not_asked_says_why() -> None:
    """Gone for good by the server's word, or switched off by the operator."""
    assert said(enabled=False, error_kind="gone", error_detail="410") == ("gone", "gone: 410")
    assert said(enabled=False) == ("disabled", "switched off")


@pytest.mark.parametrize(
    ("days", "word"),
    [(0.9, "ok"), (1.9, "ok"), (2.1, "silent"), (30, "silent")],
)
def test_silent_is_measured_by_its_own_rhythm(days: float, word: str) -> None:
    """Ten entries a day: two days without one. A feed that brings one a week is not silent after two days."""
    assert said(last_new_at=NOW - days * DAY)[0] == word
    weekly = replace(TEN_A_DAY, entries=(2 / 48,) * 48)
    assert said(last_new_at=NOW - days * DAY, rhythm=weekly)[0] == "ok"


def test_the_sentence_of_silence_says_what_is_missing() -> None:
    """In days and entries; our own absence is not the feed's silence."""
    assert said(last_new_at=NOW - 3 * DAY)[1] == "nothing new for 3 days, in which it used to bring 30 entries"
    assert said(last_new_at=NOW - 9 * DAY, last_success_at=NOW - 9 * DAY) == ("ok", "")
    busy = replace(TEN_A_DAY, entries=(40.0,) * 48)
    assert said(last_new_at=NOW - DAY / 2, rhythm=busy) == ("ok", "")
    assert said(last_new_at=NOW - DAY * 1.2, rhythm=busy)[1].startswith("nothing new for 29 hours, in which")


def test_one_that_never_listed_an_entry_is_silent() -> None:
    """An empty list is an answer, and still nobody would see what the outlet publishes."""
    assert said(last_new_at=None, rhythm=None) == ("silent", "it answers, but has not listed one entry yet")


def test_dates_that_are_off_are_told() -> None:
    """Behind from an hour, ahead from ten minutes, once most of some polls say so."""
    for lag, sentence in ((8 * 3600, "8 hours behind our clock"), (-7 * 3600, "7 hours in the future")):
        off = replace(TEN_A_DAY, lags=(lag,) * 8)
        assert said(rhythm=off) == ("clock-off", f"the dates of its new entries are {sentence}")
        assert said(rhythm=replace(off, lags=(lag,) * 4)) == ("ok", "")
        assert said(rhythm=replace(off, lags=(lag, 0, 0, 0, 0, lag))) == ("ok", "")
    assert said(rhythm=replace(TEN_A_DAY, lags=(-900,) * 8))[1].endswith("15 minutes in the future")


def test_a_feed_that_moves_says_since_when_and_where() -> None:
    """Before the new address is its own, and for as long as another feed has it."""
    moving = {"moved_to": "https://new.example/rss", "moved_since": NOW - DAY}
    word, sentence = said(**moving, answer_s=20)
    assert word == "moved"
    assert sentence.endswith("it redirects to https://new.example/rss; its last answer took 20 s")


def test_a_feed_that_was_given_up_says_why() -> None:
    """Somebody's switch has no reason to show; days of failures have."""
    assert said(enabled=False) == ("disabled", "switched off")
    assert said(enabled=False, error_kind="dns", error_detail="no such host") == ("disabled", "dns: no such host")


def test_the_worst_gives_the_word_and_all_stand_in_the_sentence() -> None:
    """Silent before clock-off before slow before malformed."""
    off = replace(TEN_A_DAY, lags=(-8 * 3600,) * 8)
    assert said(answer_s=14.4) == ("slow", "its last answer took 14 s")
    assert said(answer_s=14.4, warning="readable, but cut") == ("slow", "its last answer took 14 s; readable, but cut")
    word, sentence = said(rhythm=off, last_new_at=NOW - 4 * DAY, answer_s=12, warning="readable, but cut")
    assert word == "silent"
    assert [part.split()[0] for part in sentence.split("; ")] == ["nothing", "the", "its", "readable,"]


def test_coverage_counts_every_feed_once_and_lists_those_that_need_a_look() -> None:
    """The groups are all the words; a list is cut, its count is not."""
    assert sorted(word for words in GROUPS.values() for word in words) == sorted(Word)
    slow = [replace(WELL, id=n, answer_s=20) for n in range(10, 10 + SHOWN + 5)]
    rest = [
        WELL,
        replace(WELL, id=1, error_kind="dns", error_detail="x", last_success_at=NOW - DAY),
        replace(WELL, id=2, error_kind="html", error_detail="x"),
        replace(WELL, id=4, error_kind="dns", error_detail="x", last_success_at=None),
        replace(WELL, id=5, enabled=False),
        replace(WELL, id=6, last_success_at=None),
        replace(WELL, id=7, last_new_at=None),
    ]
    found = coverage([*slow, *rest], HONG_KONG)
    counts = {name: found[name] for name in ("total", *GROUPS)}
    assert counts == {"total": len(slow) + 7, "ok": 1, "unwell": len(slow) + 1, "failing": 3, "new": 1, "disabled": 1}
    assert found["words"] == {"ok": 1, "slow": len(slow), "silent": 1, "failing": 2, "html": 1, "new": 1, "disabled": 1}
    assert [row["id"] for row in found["failing_feeds"]] == [2, 4, 1]
    assert [row["id"] for row in found["disabled_feeds"]] == [5]
    assert len(found["unwell_feeds"]) == SHOWN
    assert (found["unwell_feeds"][0]["health"], found["unwell_feeds"][0]["outlet"]) == ("silent", "海港日報")
