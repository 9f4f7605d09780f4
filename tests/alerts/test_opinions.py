"""How well opinions agree, and what the second reviewer is not told."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from alerts.opinions import agreement, is_blind, kappa, without_opinions, without_told
from monitor.types import Review

FALSE, MISLEADING, DISMISS = ("clarify", "false"), ("clarify", "misleading"), ("dismiss", None)


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        # Of 50 proposals both said yes to 20, both no to 15, one yes to 5 and the other to 10.
        ([("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15, 0.4),
        ([("y", "y"), ("n", "n")], 1.0),
        ([("y", "n"), ("n", "y")], -1.0),
        ([("y", "y"), ("y", "n")], 0.0),
        ([], None),
        ([("y", "y")] * 7, None),
    ],
)
def test_kappa_is_cohens(pairs: Sequence[tuple[Hashable, Hashable]], value: float | None) -> None:
    """A worked example, the ends of the scale, and where it is not defined: no pairs, or nothing to tell apart."""
    found = kappa(pairs)
    assert found == (value if value is None else pytest.approx(value))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=40))
def test_kappa_is_the_one_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """For any pairs of answers, where it is defined."""
    found = kappa(pairs)
    if found is None:
        assert len({answer for pair in pairs for answer in pair}) == 1
    else:
        assert found == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_agreement_by_claim_type_and_language() -> None:
    """All pairs first, then each group that has some; same decision and same verdict is agreement, nothing less."""
    pairs = [
        {"claim_type": "candidate-quote", "lang": "zh-Hant", "first": FALSE, "second": FALSE},
        {"claim_type": "candidate-quote", "lang": "en", "first": MISLEADING, "second": FALSE},
        {"claim_type": None, "lang": "en", "first": FALSE, "second": DISMISS},
    ]
    rows = {(row["claim_type"], row["lang"]): (row["pairs"], row["agreed"], row["kappa"]) for row in agreement(pairs)}
    assert next(iter(rows)) == (None, None)
    assert rows == {
        (None, None): (3, 1, pytest.approx(-0.2)),
        ("candidate-quote", None): (2, 1, 0.0),
        ("unclear", None): (1, 0, 0.0),
        (None, "en"): (2, 0, pytest.approx(-1 / 3)),
        (None, "zh-Hant"): (1, 1, None),
        ("candidate-quote", "en"): (1, 0, 0.0),
        ("candidate-quote", "zh-Hant"): (1, 1, None),
        ("unclear", "en"): (1, 0, 0.0),
    }
    assert agreement([]) == []


def test_blind_means_not_what_but_who() -> None:
    """Who gave the first opinion may be known, for they cannot give the second; what it was may not."""
    row: dict[str, Any] = {"review": Review.SECOND, "decision": None}
    assert is_blind(row)
    assert not is_blind({**row, "decision": "clarify"})
    assert not is_blind({**row, "review": Review.LEAD})
    assert not is_blind({**row, "review": Review.FIRST})
    (told,) = without_opinions([{"reviewer": "maya", "decision": "clarify", "verdict": "false", "reason": "名單"}])
    assert told == {"reviewer": "maya", "decision": None, "verdict": None, "reason": None}
    take, decide = {"action": "alert.take", "detail": {"a": 1}}, {"action": "alert.decide", "detail": {"a": 1}}
    assert without_told([take, decide]) == [take, {**decide, "detail": {}}]
