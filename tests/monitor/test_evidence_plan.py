"""When pages are visited and what a visit means, without a network: every answer after every history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FeedError, FeedErrorKind
from monitor.evidence_plan import BACKOFF, LONGEST_WAIT, Visit, judge
from monitor.types import Changed, Exchange, Page

NOW = datetime(2027, 3, 1, tzinfo=UTC)
HOURS = (1.0, 6.0, 24.0)
PAGE = Page(1, "http://a.example/1", "a.example", NOW, NOW)
KNOWN = replace(PAGE, visits=1, captured_at=NOW, words="a", next_visit_at=NOW + timedelta(hours=1))


def _visit(page: Page, status: int, words: str | None = "a", *, cut: str | None = None, **more: float) -> Visit:
    headers = (("ETag", '"1"'), ("Last-Modified", "x" * 2_000))
    exchange = Exchange(page.url, NOW, (), "1.1", status, "", headers, b"", cut)
    return Visit(page, (exchange,), None, words if 200 <= status < 300 else None, **more)


@pytest.mark.parametrize(
    ("page", "status", "words", "record", "changed"),
    [
        (PAGE, 200, "a", True, None),
        (PAGE, 404, None, True, None),
        (PAGE, 403, None, True, None),
        (KNOWN, 304, None, False, None),
        (KNOWN, 200, "a", False, None),
        (KNOWN, 200, "b", True, Changed.CHANGED),
        (KNOWN, 410, None, True, Changed.GONE),
        (KNOWN, 451, None, True, Changed.GONE),
        (KNOWN, 403, None, False, None),  # a wall says nothing about what is behind it
        (replace(KNOWN, gone=True), 404, None, False, None),
        (replace(KNOWN, gone=True), 200, "a", True, Changed.SAME),
        (replace(KNOWN, gone=True), 200, "b", True, Changed.CHANGED),
    ],
)
def test_what_an_answer_means(
    page: Page, status: int, words: str | None, record: bool, changed: Changed | None
) -> None:
    """Every answer to go by counts as a visit, and the next one is planned from the first capture."""
    meaning = judge(_visit(page, status, words), NOW, HOURS)
    assert (meaning.record, meaning.changed) == (record, changed)
    wall = status == 403 and page is KNOWN
    assert (meaning.page.visits, meaning.page.attempts) == (page.visits + (not wall), 0)
    assert meaning.page.next_visit_at == NOW + timedelta(hours=1)


def test_validators_that_are_too_long_are_not_kept() -> None:
    """Nor are those of a page that is away."""
    page = judge(_visit(PAGE, 200), NOW, HOURS).page
    assert (page.etag, page.last_modified) == ('"1"', None)


def test_visits_that_were_missed_are_made_up_for_once() -> None:
    """A daemon that was down for a day visits once, and then goes on with what is planned after that."""
    meaning = judge(_visit(KNOWN, 200), NOW + timedelta(hours=7), HOURS)
    assert meaning.page.next_visit_at == NOW + timedelta(hours=24)
    assert judge(_visit(KNOWN, 200), NOW + timedelta(hours=25), HOURS).page.next_visit_at is None


@pytest.mark.parametrize("kind", list(FeedErrorKind))
def test_an_error_is_tried_again_unless_it_stays(kind: FeedErrorKind) -> None:
    """The guard, robots.txt and redirects without end give the same answer again; all else may pass."""
    meaning = judge(Visit(PAGE, (), FeedError(PAGE.url, kind, "x"), None), NOW, HOURS)
    final = kind in (FeedErrorKind.BLOCKED, FeedErrorKind.ROBOTS, FeedErrorKind.REDIRECT)
    assert meaning.page.next_visit_at == (None if final else NOW + BACKOFF[0])
    assert (meaning.record, meaning.page.error) == (False, f"{kind}: x")


def test_no_server_puts_a_visit_off_for_ever() -> None:
    """Retry-After holds, up to a day."""
    assert judge(_visit(PAGE, 503, retry_after_s=9e9), NOW, HOURS).page.next_visit_at == NOW + LONGEST_WAIT
    assert judge(_visit(PAGE, 429, retry_after_s=1.0), NOW, HOURS).page.next_visit_at == NOW + BACKOFF[0]


_ANSWERS = st.sampled_from([200, 201, 304, 403, 404, 410, 429, 500, None])


@given(st.lists(st.tuples(_ANSWERS, st.sampled_from(["a", "b"]), st.sampled_from([None, "time", "length"]))))
def test_any_history_ends_and_records_each_state_once(
    history: list[tuple[int | None, str, str | None]],
) -> None:
    """Whatever the answers: no two captures in a row say the same, and after the last planned visit none follows."""
    page, now, states = PAGE, NOW, list[tuple[str | None, bool]]()
    for status, words, cut in history:
        if page.next_visit_at is None:
            break
        now = max(now, page.next_visit_at)
        error = FeedError(page.url, FeedErrorKind.TIMEOUT, "x") if status is None else None
        visit = Visit(page, (), error, None) if status is None else _visit(page, status, words, cut=cut)
        meaning = judge(visit, now, HOURS)
        assert meaning.page.next_visit_at is None or meaning.page.next_visit_at > now
        page = meaning.page
        if meaning.record:
            states.append((page.words, page.gone))
    assert all(one != other for one, other in pairwise(states))
    assert len(states) <= 1 + len(HOURS)
