"""What is learned: each decision, refutations of trusted feeds, and what is never trained on."""

from __future__ import annotations

from typing import Any

import pytest

from classifiers.examples import Example
from classifiers.lessons import (
    HELD_BACK,
    REFUTATIONS,
    REVIEWED_WEIGHT,
    Lesson,
    Origin,
    decision_lessons,
    digest,
    from_decision,
    is_held_back,
    label_lessons,
    pack,
    refutation_lessons,
    refutations_wanted,
    refutes,
    unpack,
)
from classifiers.mask import Mask
from monitor.types import Candidate, ClaimType, Label, Lang, Stance

MASK = Mask([Candidate("man-pui-lam", ("文沛霖",), ("Perry Man",))])
ROW = {
    "id": 1,
    "incident_id": 1,
    "text": "文沛霖已經退選",
    "lang": "zh-Hant",
    "label": "false-information",
    "stance": "asserts",
    "claim_type": "candidate-status",
    "verdict": None,
    "reason": "not-false",
    "decision": "dismiss",
}
TRAINED, HELD = (next(n for n in range(1, 99) if is_held_back(f"incident:{n}") is held) for held in (False, True))


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"decision": "dismiss"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "satire: every April"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "opinion"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "duplicate-story: see alert 5"}, None),
        ({"decision": "dismiss", "reason": "not-election"}, None),
        ({"decision": "dismiss", "reason": "other: no idea"}, None),
        ({"decision": "clarify", "verdict": "false"}, Label.FALSE_INFORMATION),
        ({"decision": "clarify", "verdict": "misleading", "label": "impersonation"}, Label.IMPERSONATION),
        ({"decision": "clarify", "verdict": "partly_false", "label": "genuine"}, Label.FALSE_INFORMATION),
        ({"decision": "clarify", "verdict": "true"}, None),
        ({"decision": "clarify", "verdict": "unproven"}, None),
        ({"decision": "refer", "claim_type": "scam-lure"}, Label.IMPERSONATION),
        ({"decision": "refer", "claim_type": "impersonation-media"}, Label.IMPERSONATION),
        ({"decision": "refer"}, None),
        ({"decision": "refer", "claim_type": None}, None),
        ({"decision": "watch"}, None),
        ({"decision": "duplicate"}, None),
    ],
)
def test_what_a_decision_teaches(changed: dict[str, str], label: Label | None) -> None:
    """Only what a person found out is learned."""
    learned = from_decision(ROW | changed)
    assert (learned.label if learned else None) is label


def test_stance_and_claim_type_are_learned_from_confirmed_falsehoods_only() -> None:
    """Nobody looked at those of a dismissed text."""
    dismissed = from_decision(ROW)
    confirmed = from_decision(ROW | {"decision": "clarify", "verdict": "false"})
    assert dismissed == Example("文沛霖已經退選", Label.GENUINE, Lang.HANT)
    assert confirmed
    assert (confirmed.stance, confirmed.claim_type) == (Stance.ASSERTS, ClaimType.CANDIDATE_STATUS)


def test_a_confirmed_falsehood_refutes_nothing() -> None:
    """Whatever its words made the model believe: else what resembles it would never be flagged."""
    for changed in ({"decision": "clarify", "verdict": "false"}, {"decision": "refer", "claim_type": "scam-lure"}):
        stances = {}
        for stance in Stance:
            learned = from_decision(ROW | changed | {"stance": str(stance)})
            assert learned
            stances[stance] = learned.stance
        assert stances == {stance: stance for stance in Stance} | {Stance.REFUTES: Stance.ASSERTS}


def test_copies_of_one_incident_share_the_weight_of_one_decision() -> None:
    """A flood of copies must not teach more than one text; what teaches nothing takes no share."""
    rows: list[dict[str, Any]] = [ROW | {"id": number, "incident_id": TRAINED} for number in range(4)]
    rows.append(ROW | {"id": 9, "incident_id": TRAINED, "reason": "other: ?"})
    trained, held = decision_lessons(rows, MASK)
    assert [lesson.weight for lesson in trained] == [REVIEWED_WEIGHT / 4] * 4
    assert held == []


def test_an_incident_is_held_back_whole_and_names_are_hidden() -> None:
    """Copies on both sides would measure memory; no lesson holds a name."""
    rows = [ROW | {"id": number, "incident_id": (TRAINED, HELD)[number % 2]} for number in range(6)]
    trained, held = decision_lessons(rows, MASK)
    assert {lesson.incident_id for lesson in trained} == {TRAINED}
    assert {lesson.incident_id for lesson in held} == {HELD}
    assert not [lesson for lesson in (*trained, *held) if "文沛霖" in lesson.example.text]
    (label,) = label_lessons([Example("Perry Man left", Label.GENUINE, Lang.EN)], MASK)
    assert "Perry" not in label.example.text


def test_one_in_five_is_held_back_and_always_the_same() -> None:
    """By a hash that no run, process or machine changes."""
    held = [n for n in range(10_000) if is_held_back(f"incident:{n}")]
    assert abs(len(held) / 10_000 - 1 / HELD_BACK) < 0.02
    assert held[:5] == [1, 3, 13, 16, 18]


@pytest.mark.parametrize(
    ("text", "stance", "expected"),
    [
        ("選舉事務處澄清：票站如常開放", Stance.UNRELATED, True),
        ("选举事务处辟谣：投票时间没有改变", Stance.REPORTS, True),
        ("ＣＬＡＲＩＦＩＥＳ the opening hours", Stance.UNRELATED, True),
        ("The hours have not changed", Stance.REFUTES, True),
        ("票站於上午八時半開放", Stance.UNRELATED, False),
        ("Twelve stations open on Sunday", Stance.REPORTS, False),
    ],
)
def test_an_official_text_refutes_by_the_model_or_by_a_word(text: str, stance: Stance, expected: bool) -> None:
    """In both scripts and in full-width letters."""
    assert refutes(text, stance) is expected


def test_the_newest_refutations_enter_in_proportion() -> None:
    """As genuine, refuting; one in five is held back, whatever the proportion; ordinary notices are not learned."""
    ids = range(500, 0, -1)
    rows = [{"id": n, "text": f"Office denies rumour {n}", "lang": "en", "stance": "refutes"} for n in ids]
    rows.insert(0, {"id": 501, "text": "Stations open at nine", "lang": "en", "stance": "unrelated"})
    trained, held = refutation_lessons(rows, 0, MASK)
    found = [lesson.item_id for lesson in trained]
    assert len(found) == REFUTATIONS
    assert found == sorted((n for n in range(1, 501) if not is_held_back(f"item:{n}")), reverse=True)[:REFUTATIONS]
    assert {(one.example.label, one.example.stance, one.origin) for one in trained} == {
        (Label.GENUINE, Stance.REFUTES, Origin.REFUTATIONS)
    }
    assert {lesson.item_id for lesson in held} == {n for n in range(1, 501) if is_held_back(f"item:{n}")}
    assert len(refutation_lessons(rows, 1000, MASK)[0]) == refutations_wanted(1000) > REFUTATIONS


def test_the_digest_tells_data_apart() -> None:
    """Same rows, same digest; one label or one weight changed, another."""
    example = Example("The kiosk sells maps", Label.GENUINE, Lang.EN)
    one = Lesson(example, Origin.LABELS)
    others = (
        Lesson(Example(example.text, Label.IMPERSONATION, Lang.EN), Origin.LABELS),
        Lesson(example, Origin.LABELS, weight=2.0),
    )
    assert digest([one]) == digest([Lesson(example, Origin.LABELS)])
    assert len({digest([one]), digest([one], ["x"]), *(digest([other]) for other in others)}) == 4


def test_lessons_are_kept_as_they_were() -> None:
    """Line breaks and characters of every script; nothing is nothing."""
    text = "第一行\n第二行\u2028 ＡＢＣ 𠮷"
    lesson = Lesson(Example(text, Label.GENUINE, Lang.HANT, Stance.REFUTES), Origin.REFUTATIONS, 1.0, 7)
    (row,) = unpack(pack([lesson]))
    assert row == {
        "origin": "refutations",
        "item_id": 7,
        "weight": 1.0,
        "text": text,
        "label": "genuine",
        "lang": "zh-Hant",
        "stance": "refutes",
        "claim_type": None,
    }
    assert unpack(pack([])) == []
