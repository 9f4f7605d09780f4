"""The gate: a candidate becomes live by itself only where it can be told that it is no worse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from classifiers.examples import Example
from classifiers.gate import MIN_DECISIONS, Marks, compare, judge, mark, set_exam, twins
from classifiers.lessons import Lesson, Origin
from classifiers.mask import Mask
from classifiers.model import Model
from monitor.types import Candidate, Label, Lang
from monitor.watchlist import Watchlist

PEOPLE = [
    Candidate("a", ("文沛霖", "Perry Man")),
    Candidate("b", ("卓望晴", "Vivian Cheuk")),
]
LURE = "Your ballot is void unless you send the code to eso-verify.example now"
NEWS = "The ferry pier reopens on Sunday after repairs"


def marks(decisions: Mapping[str, float | None] | None = None, **changed: Any) -> Marks:
    """A model that does well, apart from what is changed."""
    well: dict[str, Any] = {"refutations_in_top": 0.05, "flagged": 0.03, "name_gap": 0.0}
    return Marks(**{"decisions": {"all": 0.8, "en": 0.8, "zh": 0.8, **(decisions or {})}, **well, **changed})


@pytest.mark.parametrize(
    ("candidate", "live", "promote", "word"),
    [
        (marks(), marks(), True, "all languages"),
        (marks({"all": 0.79}), marks(), True, "all languages"),  # noise
        (marks({"all": 0.7}), marks(), False, "all languages: average precision 0.70, the live model 0.80"),
        (marks({"all": 0.9, "zh": 0.7}), marks(), False, "Chinese"),
        (marks({"all": 0.9, "en": 0.7}), marks(), False, "English"),
        (marks({"zh": None}), marks({"zh": None}), True, "Chinese: too few to tell"),
        (marks(refutations_in_top=0.3), marks(), False, "30% would stand in the top tenth"),
        (marks(refutations_in_top=0.1), marks(refutations_in_top=0.0), True, "10%"),
        (marks(refutations_in_top=0.3), marks(refutations_in_top=0.4), True, "30%"),
        (marks(refutations_in_top=None), marks(), True, "too few held back"),
        (marks(name_gap=0.2), marks(), False, "Another person's name moves the score by 0.200"),
        (marks(flagged=0.3), marks(), False, "Flags 30.0%"),
        (marks(flagged=0.0), marks(flagged=0.1), False, "Flags 0.0%"),
        (marks(flagged=None), marks(), True, "all languages"),
    ],
)
def test_no_worse_means_on_each_of_these(candidate: Marks, live: Marks, promote: bool, word: str) -> None:
    """All, each language, refutations, names and the length of the queue; the reason stands in words."""
    judgement = compare(candidate, live, MIN_DECISIONS)
    assert judgement.promote is promote
    assert any(word in reason for reason in judgement.reasons)


def test_too_few_decisions_tell_nothing() -> None:
    """However well the candidate does; nor do decisions that are all alike."""
    few = compare(marks(), marks(), MIN_DECISIONS - 1)
    assert not few.promote
    assert few.reasons == ("29 decisions are held back, fewer than 30: too few to tell whether it is better.",)
    alike = compare(marks({"all": None}), marks({"all": None}), MIN_DECISIONS)
    assert not alike.promote
    assert "all of one kind" in alike.reasons[0]


def test_a_model_is_measured_on_one_text_a_decision(model: Model) -> None:
    """Copies count once; names hidden, another name moves nothing; without a live model nothing is promoted."""
    decided = [
        Lesson(Example(f"{text} {number // 2}", label, Lang.EN), Origin.REVIEWED, 1.0, number, number // 2)
        for text, label in ((LURE, Label.IMPERSONATION), (NEWS, Label.GENUINE))
        for number in range(60 if label is Label.GENUINE else 0, 120 if label is Label.GENUINE else 60)
    ]
    answers = [Lesson(Example(NEWS, Label.GENUINE, Lang.EN), Origin.REFUTATIONS) for _ in range(10)]
    stream = [f"Perry Man opens stall {number}" for number in range(30)]
    exam = set_exam(decided, answers, stream, Watchlist(PEOPLE), Mask(PEOPLE))
    assert len(exam.decided) == 60
    found = mark(model, exam)
    assert found.decisions == {"all": 1.0, "en": 1.0, "zh": None}
    assert found.name_gap == 0.0
    assert found.refutations_in_top is not None
    assert judge(model, model, exam).promote
    assert not judge(model, None, exam).promote


def test_an_exam_of_nothing_is_marked(model: Model) -> None:
    """A new desk has neither decisions nor items."""
    found = mark(model, set_exam([], [], [], Watchlist([]), Mask([])))
    assert found == Marks({"all": None, "en": None, "zh": None}, None, None, 0.0)


def test_twins_differ_in_the_name_alone() -> None:
    """In either script and full-width, every place, one name of two bearers once; nobody to exchange with: no twins."""
    texts = ["文沛霖退選，文沛霖落淚", "PERRY MAN has left; Ｐｅｒｒｙ Ｍａｎ wept", "The pier reopens"]
    pairs = twins(texts, Watchlist(PEOPLE))
    assert [first for first, _ in pairs] == texts[:2]
    assert pairs[0][1] == "卓望晴退選，卓望晴落淚"
    assert pairs[1][1].startswith("Vivian Cheuk has left; ")
    assert "Ｐｅｒｒｙ" not in pairs[1][1]
    both = [Candidate("a", ("文沛霖",)), Candidate("b", ("文沛霖",))]
    assert twins(["文沛霖退選"], Watchlist(both)) == [("文沛霖退選", "文沛霖退選")]
    assert twins(texts, Watchlist(PEOPLE[:1])) == []
