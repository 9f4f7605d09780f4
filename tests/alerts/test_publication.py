"""What may happen to a clarification, decided without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.publication import Act, Approve, Discard, Edit, Publish, Withdraw, to_edit, transition
from monitor.errors import RefusedError, UnfitActError
from monitor.text import fold
from monitor.types import LANGS, Clarification, ClarificationState, Fact, Lang, Statement, Verdict

State = ClarificationState
START = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
FALSE = Verdict.FALSE


def _texts(words: str, change: str = "") -> dict[Lang, Statement]:
    return {lang: Statement(words, (Fact(words, "選舉事務署"),), "八時", "advice", "contact", change) for lang in LANGS}


DRAFT = Clarification(
    id=3,
    alert_id=12,
    slug="2027-03-01-3",
    uid="0" * 32,
    state=State.DRAFT,
    verdict=FALSE,
    texts=_texts("first"),
    revision=1,
    writers=("maya",),
    drafted_at=START,
)


def _do(before: Clarification, *acts: Act, ruled: Verdict | None = FALSE) -> Clarification:
    for act in acts:
        before = transition(before, act, START, ruled)
    return before


def _refusal(before: Clarification, act: Act, ruled: Verdict | None = FALSE) -> str:
    with pytest.raises(RefusedError) as caught:
        transition(before, act, START, ruled)
    return caught.value.reason


APPROVED = _do(DRAFT, Approve("ben"))
PUBLIC = _do(APPROVED, Publish("lead"))
GONE = dict.fromkeys(LANGS, "it was wrong")


def test_the_way_to_the_public() -> None:
    """Drafted, approved, published, corrected, withdrawn: each version keeps who wrote and who approved it."""
    assert (APPROVED.state, APPROVED.approved_by, APPROVED.approved_at) == (State.APPROVED, "ben", START)
    assert PUBLIC.state is State.PUBLISHED
    again = _do(PUBLIC, Edit("ben", 1, _texts("second", "an hour")), Approve("maya"), Publish("lead"))
    assert (again.state, again.revision) == (State.CORRECTED, 2)
    over = _do(again, Withdraw("maya", GONE), Approve("岑"), Publish("ben"))
    assert over.state is State.WITHDRAWN
    assert [(v.number, v.state, v.writers, v.approved_by, v.published_by) for v in over.versions] == [
        (1, State.PUBLISHED, ("maya",), "ben", "lead"),
        (2, State.CORRECTED, ("ben",), "maya", "lead"),
        (3, State.WITHDRAWN, ("maya",), "岑", "ben"),
    ]
    assert [v.texts[Lang.EN].title for v in over.versions] == ["first", "second", "second"]
    assert not over.is_public
    for act in (
        Edit("maya", 3, _texts("x")),
        Approve("ben"),
        Publish("ben"),
        Discard("ben", "why"),
        Withdraw("a", GONE),
    ):
        assert _refusal(over, act) == "withdrawn"


@pytest.mark.parametrize("same", ["maya", "MAYA", "ｍａｙａ"])
def test_nobody_approves_their_own_words(same: str) -> None:
    """Neither who drafted nor who edited, in whatever letters the name is written; a third person may."""
    assert _refusal(DRAFT, Approve(same)) == "same-person"
    edited = _do(DRAFT, Edit("陳", 1, _texts("better")))
    assert edited.writers == ("maya", "陳")
    for who in ("maya", "陳", "陈"):
        assert _refusal(edited, Approve(who)) == "same-person"
    assert _do(edited, Approve("ben")).state is State.APPROVED


def test_an_edit_takes_the_approval_back() -> None:
    """One that changes nothing does not; who approved and then edits cannot approve again."""
    edited = _do(APPROVED, Edit("ben", 1, _texts("other words")))
    assert (edited.state, edited.approved_by, edited.revision) == (State.DRAFT, None, 2)
    assert _refusal(edited, Publish("lead")) == "not-approved"
    assert _refusal(edited, Approve("ben")) == "same-person"
    assert _do(APPROVED, Edit("ben", 1, APPROVED.texts)) == APPROVED
    corrected = _do(PUBLIC, Edit("ben", 1, _texts("second", "why")), Approve("maya"), Publish("lead"))
    assert _do(corrected, Edit("maya", 2, to_edit(corrected))) == corrected


def test_an_older_text_replaces_and_approves_nothing() -> None:
    """Two editors at once: the second is told to look again; so is who read another revision than stands."""
    edited = _do(DRAFT, Edit("ben", 1, _texts("newer")))
    assert _refusal(edited, Edit("maya", 1, _texts("from the older"))) == "newer-text"
    assert _refusal(edited, Approve("岑", revision=1)) == "newer-text"
    assert _do(edited, Approve("岑", revision=2)).state is State.APPROVED


def test_what_the_alert_says_counts() -> None:
    """Undone, reopened or decided as something else, it is neither approved nor published; an edit takes it over."""
    for ruled, reason in ((None, "not-ruled"), (Verdict.MISLEADING, "other-verdict")):
        assert _refusal(DRAFT, Approve("ben"), ruled) == reason
        assert _refusal(APPROVED, Publish("lead"), ruled) == reason
    assert _refusal(DRAFT, Edit("ben", 1, _texts("x")), None) == "not-ruled"
    taken_over = _do(PUBLIC, Edit("maya", 1, _texts("first", "the finding")), ruled=Verdict.MISLEADING)
    assert taken_over.verdict is Verdict.MISLEADING
    withdrawn = _do(PUBLIC, Withdraw("maya", GONE), Approve("ben"), Publish("lead"), ruled=None)
    assert withdrawn.state is State.WITHDRAWN


def test_a_correction_says_what_it_changes() -> None:
    """And not what an earlier one changed; a withdrawal says why in both languages."""
    silent = _do(PUBLIC, Edit("maya", 1, _texts("second")))
    assert _refusal(silent, Approve("ben")) == "incomplete"
    corrected = _do(PUBLIC, Edit("maya", 1, _texts("second", "an hour")), Approve("ben"), Publish("lead"))
    stale = _do(corrected, Edit("maya", 2, _texts("third", "an hour")))
    with pytest.raises(UnfitActError, match="tells of an earlier change"):
        transition(stale, Approve("ben"), START, FALSE)
    assert _refusal(PUBLIC, Withdraw("maya", {Lang.EN: "it was wrong"})) == "no-reason"
    assert _refusal(DRAFT, Withdraw("maya", GONE)) == "never-published"


def test_what_waits_can_be_dropped() -> None:
    """A correction or a withdrawal leaves what is public; a draft that never was ends."""
    for act in (Edit("maya", 1, _texts("second", "x")), Withdraw("maya", GONE)):
        back = _do(PUBLIC, act, Discard("ben", "not needed"))
        assert (back.state, back.texts, back.withdrawing, back.is_public) == (
            State.PUBLISHED,
            PUBLIC.texts,
            False,
            True,
        )
    assert _do(DRAFT, Discard("ben", "drafted twice")).state is State.WITHDRAWN
    assert _refusal(PUBLIC, Discard("ben", "why")) == "nothing-waits"
    assert _refusal(DRAFT, Discard("ben", "")) == "no-reason"


_people = st.sampled_from(["maya", "ben", "岑", "MAYA"])
_acts = st.sampled_from(
    [
        *[st.builds(Approve, _people)] * 4,
        *[st.builds(Publish, _people)] * 4,
        *[st.builds(Edit, _people, st.just(-1), st.sampled_from("abcd").map(lambda w: _texts(w, w)))] * 3,
        st.builds(Edit, _people, st.integers(1, 3), st.just(_texts("old"))),
        st.builds(Withdraw, _people, st.sampled_from([GONE, {}])),
        st.builds(Discard, _people, st.sampled_from(["", "not needed"])),
    ]
).flatmap(lambda act: act)
_rulings = st.sampled_from([*[FALSE] * 6, Verdict.MISLEADING, None])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_acts, _rulings), min_size=20, max_size=60))
def test_no_sequence_of_acts_publishes_one_persons_words(steps: list[tuple[Act, Verdict | None]]) -> None:
    """Whatever is done in whatever order: what is public was approved as it stands by somebody who wrote none of it,
    versions are only added, and a withdrawn one stays withdrawn.
    """
    now, approved = DRAFT, None
    for minute, (drawn, ruled) in enumerate(steps):
        act = replace(drawn, revision=now.revision) if isinstance(drawn, Edit) and drawn.revision == -1 else drawn
        before = now
        try:
            now = transition(before, act, START + timedelta(minutes=minute), ruled)
        except RefusedError:
            continue
        if isinstance(act, Approve):
            approved = now.texts
        assert now.versions[: len(before.versions)] == before.versions
        assert now.revision >= before.revision
        assert now.state is not State.APPROVED or now.approved_by
        for version in now.versions[len(before.versions) :]:
            assert isinstance(act, Publish)
            assert version.texts == approved
            assert fold(version.approved_by) not in {fold(writer) for writer in version.writers}
            assert version.writers
            assert version.state is State.WITHDRAWN or version.verdict is ruled
        assert before.state is not State.WITHDRAWN
        if now.state in (State.PUBLISHED, State.CORRECTED):
            assert now.texts == now.versions[-1].texts
            assert now.versions[-1].state is now.state
        if now.withdrawing:
            assert now.versions
