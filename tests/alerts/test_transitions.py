"""What may happen to an alert, decided without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.clocks import Terms, decide_due, due_at, take_due
from alerts.routing import Targets
from alerts.transitions import (
    LONGEST_SNOOZE,
    TWO_PEOPLE,
    Act,
    Decide,
    DismissReason,
    Expire,
    Release,
    Renew,
    Reopen,
    SendBack,
    Snooze,
    Take,
    Undo,
    Wake,
    transition,
)
from monitor.errors import RefusedError
from monitor.types import Alert, AlertState, Decision, Phase, Review, Verdict
from tests.alerts.rows import OPEN, START

LEASE = timedelta(minutes=10)
TARGETS = Targets.model_validate(
    {
        "default": {f"P{n}": {"take": 15 * n, "decide": 120 * n} for n in range(1, 5)},
        "polling-day": {f"P{n}": {"take": 5 * n, "decide": 30 * n} for n in range(1, 5)},
    }
)
TERMS = Terms(Phase.CAMPAIGN, TARGETS, LEASE)
HELD = transition(OPEN, Take("maya"), START, TERMS)


def _refusal(alert: Alert, act: Act, now: datetime = START) -> str:
    with pytest.raises(RefusedError) as caught:
        transition(alert, act, now, TERMS)
    return caught.value.reason


def test_take_starts_a_lease_and_the_second_clock() -> None:
    """Taken: held for one lease, due when it should be decided; taken_at is the first time only."""
    assert (HELD.state, HELD.holder, HELD.lease_expires_at) == (AlertState.LEASED, "maya", START + LEASE)
    assert HELD.due_at == START + timedelta(minutes=120)
    back = transition(HELD, Release("maya"), START + timedelta(minutes=1), TERMS)
    assert (back.state, back.holder, back.lease_expires_at) == (AlertState.OPEN, None, None)
    assert back.due_at == OPEN.due_at
    assert transition(back, Take("ben"), START + timedelta(minutes=2), TERMS).taken_at == START


def test_a_lease_cannot_be_held_twice() -> None:
    """Not by another, not by the holder again."""
    assert _refusal(HELD, Take("ben")) == "held"
    assert _refusal(HELD, Take("maya")) == "held"


def test_an_expired_lease_is_free_at_its_last_instant() -> None:
    """One microsecond before it holds, at the instant it does not; the late holder can do nothing any more."""
    end = START + LEASE
    assert _refusal(HELD, Take("ben"), end - timedelta(microseconds=1)) == "held"
    assert transition(HELD, Take("ben"), end, TERMS).holder == "ben"
    decision = Decide("maya", Decision.CLARIFY, Verdict.FALSE, "the roster still has her")
    assert _refusal(HELD, decision, end) == "not-held"
    assert _refusal(HELD, Renew("maya"), end) == "not-held"
    assert transition(HELD, Expire(), end, TERMS) == replace(OPEN, taken_at=START, expiries=1)
    assert _refusal(HELD, Expire(), end - timedelta(microseconds=1)) == "lease-running"


def test_only_the_holder_renews_and_decides() -> None:
    """A renewed lease counts from now; nobody else may touch it, and a reason is needed to break it."""
    later = START + timedelta(minutes=9)
    assert transition(HELD, Renew("maya"), later, TERMS).lease_expires_at == later + LEASE
    assert _refusal(HELD, Renew("ben")) == "not-holder"
    assert _refusal(HELD, Decide("ben", Decision.WATCH, None, "wait")) == "not-holder"
    assert _refusal(OPEN, Renew("ben")) == "not-held"
    assert _refusal(OPEN, Release("ben", "why not")) == "not-held"
    assert _refusal(HELD, Release("ben")) == "no-reason"
    assert transition(HELD, Release("ben", "maya went home"), START, TERMS).state is AlertState.OPEN


@pytest.mark.parametrize(
    ("decision", "verdict", "reason", "state"),
    [
        (Decision.CLARIFY, Verdict.FALSE, "名單上仍有她", AlertState.DECIDED),
        (Decision.REFER, None, "a phishing page, for the police", AlertState.DECIDED),
        (Decision.WATCH, None, "not spread yet", AlertState.DECIDED),
        (Decision.DISMISS, Verdict.SATIRE, "satire", AlertState.CLOSED),
        (Decision.DISMISS, None, "other: 去年的新聞", AlertState.CLOSED),
        (Decision.DUPLICATE, None, "as alert 4", AlertState.CLOSED),
    ],
)
def test_decisions_end_the_lease(decision: Decision, verdict: Verdict | None, reason: str, state: AlertState) -> None:
    """Decided or closed, by the decision; then nothing more happens."""
    done = transition(HELD, Decide("maya", decision, verdict, reason), START, TERMS)
    assert (done.state, done.decision, done.verdict, done.decided_at) == (state, decision, verdict, START)
    assert (done.holder, done.lease_expires_at) == (None, None)
    for act in (Take("ben"), Renew("maya"), Release("maya"), Decide("maya", decision, verdict, reason)):
        assert _refusal(done, act) == "decided"


@pytest.mark.parametrize(
    ("decision", "verdict", "reason", "refusal"),
    [
        (Decision.CLARIFY, None, "it is false", "no-verdict"),
        (Decision.CLARIFY, Verdict.FALSE, "", "no-reason"),
        (Decision.DISMISS, Verdict.FALSE, "opinion", "contradiction"),
        (Decision.DUPLICATE, Verdict.MISLEADING, "of alert 3", "contradiction"),
        (Decision.WATCH, None, "", "no-reason"),
        (Decision.DISMISS, None, "boring", "no-reason"),
        (Decision.DISMISS, None, "satirical", "no-reason"),
        (Decision.DISMISS, None, "other", "no-reason"),
        (Decision.DISMISS, None, "other: ", "no-reason"),
    ],
)
def test_a_decision_says_why(decision: Decision, verdict: Verdict | None, reason: str, refusal: str) -> None:
    """No reason, no verdict to publish, or a dismissal outside the list: refused."""
    assert _refusal(HELD, Decide("maya", decision, verdict, reason)) == refusal


def test_every_dismiss_reason_is_accepted() -> None:
    """Each word of the list, with or without words after it."""
    for word in DismissReason:
        act = Decide("maya", Decision.DISMISS, None, f"{word}: as the desk agreed")
        assert transition(HELD, act, START, TERMS).state is AlertState.CLOSED


def test_clocks_run_by_phase_and_priority() -> None:
    """The targets of the phase count; a phase that is not named uses the default."""
    assert take_due(START, 2, Phase.CAMPAIGN, TARGETS) == START + timedelta(minutes=30)
    assert take_due(START, 2, Phase.POLLING_DAY, TARGETS) == START + timedelta(minutes=10)
    assert decide_due(START, 4, Phase.POLLING_DAY, TARGETS) == START + timedelta(minutes=120)


_CONCERNED = "who it concerns"  # the holder, or who decided last; without them acts would rarely fit
_reviewers = st.sampled_from(["maya", "ben", "岑", *[_CONCERNED] * 4])
_reasons = st.sampled_from(["", "shift ended"])
_decides = st.sampled_from(
    [
        *[(Decision.CLARIFY, Verdict.FALSE, "checked with the office")] * 4,
        (Decision.CLARIFY, Verdict.MISLEADING, "half of it"),
        (Decision.CLARIFY, Verdict.TRUE, "it is so"),
        (Decision.WATCH, None, "wait"),
        (Decision.DISMISS, None, "not-false: 已核對"),
        (Decision.DISMISS, None, "other"),
        (Decision.CLARIFY, None, "no verdict"),
        (Decision.DUPLICATE, Verdict.FALSE, "as alert 4"),
        (Decision.WATCH, None, ""),
    ]
).flatmap(lambda said: st.builds(Decide, _reviewers, *map(st.just, said)))
# As often as they stand here: what leads from one review to the next more often than the rest.
_acts = st.sampled_from(
    [
        *[st.builds(Take, _reviewers)] * 4,
        *[_decides] * 6,
        *[st.builds(Undo, _reviewers)] * 2,
        *[st.builds(SendBack, _reviewers, _reasons)] * 2,
        st.builds(Renew, _reviewers),
        st.builds(Release, _reviewers, _reasons),
        st.just(Expire()),
        st.builds(Snooze, _reviewers, st.just(START), _reasons),  # its time is set when it is done
        st.builds(Wake, st.none() | _reviewers),
        st.builds(Reopen, _reviewers, _reasons),
    ]
).flatmap(lambda act: act)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_acts, st.integers(0, 6)), min_size=40, max_size=80), st.booleans())
def test_no_sequence_of_acts_leads_nowhere(steps: list[tuple[Act, int]], about_candidate: bool) -> None:
    """Whatever is done in whatever order: a defined state, one holder at most, two people where two are needed, nothing
    lost; and what is undone is as it was.
    """
    alert, now = OPEN, START
    before_decision: list[Alert] = []  # as it was before each of the opinions that stand
    for drawn, minutes in steps:
        before, now = alert, now + timedelta(minutes=minutes)
        act = _placed(drawn, before, now, minutes, about_candidate)
        try:
            alert = transition(before, act, now, TERMS)
        except RefusedError:
            continue
        match act:
            case Decide():
                assert act.reviewer == before.holder, "only the holder decides"
                before_decision.append(before)
            case Take():
                assert before.state not in (AlertState.DECIDED, AlertState.CLOSED)
                assert before.holder is None or (before.lease_expires_at or now) <= now, "a lease is never held twice"
            case Undo():
                assert alert == before_decision.pop(), "undo restores exactly"
            case SendBack() | Reopen():
                before_decision.clear()
            case _:
                assert alert.opinions == before.opinions, "no other act gives or takes an opinion"
        assert len(before_decision) == len(alert.opinions)
        _check(alert, now, about_candidate, undone=isinstance(act, Undo))


def _placed(act: Act, alert: Alert, now: datetime, minutes: int, about_candidate: bool) -> Act:
    """The act with what depends on the walk: who does it, whom the alert is about, and until when to snooze."""
    if getattr(act, "reviewer", None) == _CONCERNED:
        last = alert.opinions[-1].reviewer if alert.opinions else "wing"
        act = replace(act, reviewer=alert.holder or last)
    match act:
        case Decide():
            return replace(act, about_candidate=about_candidate)
        case Snooze():
            return replace(act, until=now + timedelta(minutes=3 * minutes))
        case _:
            return act


def _check(alert: Alert, now: datetime, about_candidate: bool, *, undone: bool) -> None:
    held = alert.state is AlertState.LEASED
    assert held == (alert.holder is not None) == (alert.lease_expires_at is not None)
    assert undone or not held or (alert.lease_expires_at is not None and alert.lease_expires_at > now)
    asleep = alert.state is AlertState.SNOOZED
    assert asleep == (alert.snoozed_until is not None)
    decided = alert.state in (AlertState.DECIDED, AlertState.CLOSED)
    assert decided == (alert.decision is not None) == (alert.decided_at is not None)
    waits = AlertState.OPEN if alert.review is Review.FIRST else AlertState.SECOND_REVIEW
    assert held or asleep or decided or alert.state is waits
    people = {opinion.reviewer for opinion in alert.opinions}
    assert len(people) == len(alert.opinions), "nobody gives two opinions"
    assert [opinion.review for opinion in alert.opinions] == list(Review)[: len(people)]
    wanted = list(Review).index(alert.review)
    assert len(people) == wanted + decided
    if decided and about_candidate and alert.decision is Decision.CLARIFY and alert.verdict in TWO_PEOPLE:
        assert len(people) >= 2, "never by one person alone"
    assert alert.due_at == due_at(alert, TERMS) or decided
    assert (alert.id, alert.incident_id, alert.opened_at, alert.priority) == (7, 3, START, 1)
    # Not lost: a person who has not been there yet can take it up, now or once the holder's time is over.
    way_back: Act = Reopen("zoe", "look again") if decided else Take("zoe")
    assert transition(alert, way_back, now + LONGEST_SNOOZE, TERMS).state in (AlertState.OPEN, AlertState.LEASED)
