"""Reasons: the words that moved the score, as they stand in the text."""

from __future__ import annotations

from itertools import pairwise

import pytest

from classifiers.explain import Fragment, fragments, reasons
from classifiers.model import Model
from classifiers.scoring import combine
from monitor.types import Candidate, ClaimType, Finding, Match, Role


def explained(model: Model, text: str) -> list[Fragment]:
    """The fragments of a text."""
    return fragments(model, [text], [text], model.features.transform([text]))[0]


TEXTS = [
    "URGENT: your account is suspended, verify at safe-login.example now",
    "您好，您的戶口已被凍結，請即按 safe-login.example 輸入密碼",
    "选举事务署澄清，网上讯息并非事实",
    "Ｖｉｖｉａｎ　Ｃｈｅｕｋ 話:「我會退選」 🙂 OK\n\nsee www.x.example",
]


@pytest.mark.parametrize("text", TEXTS)
def test_fragments_are_pieces_of_the_original(model: Model, text: str) -> None:
    """Each is cut out of the text as written, in its script and width; they do not overlap."""
    pieces = explained(model, text)
    assert pieces
    for piece in pieces:
        assert text[piece.start : piece.end] == piece.text
    assert all(a.end <= b.start for a, b in pairwise(pieces))


@pytest.mark.parametrize("text", TEXTS)
def test_contributions_add_up_to_the_decision_value(model: Model, text: str) -> None:
    """What the fragments carry is what the model decided on, but for marks between words and the script's own share."""
    row = model.features.transform([text])
    value = float(model.suspicion.values(row)[0, 0] - model.suspicion.intercepts[0])
    value -= float(model.suspicion.weights[0, -1]) * row.toarray()[0, -1]
    carried = sum(piece.weight for piece in explained(model, text))
    assert carried == pytest.approx(value, abs=0.12)


def test_a_scam_is_explained_by_its_lure(model: Model) -> None:
    """The words a person would point at are among those that speak for it."""
    text = TEXTS[0]
    opinion = model.judge([text])[0]
    found = reasons(explained(model, text), opinion, combine(opinion, (), None, 0.5), (), (), None, {})
    words = next(reason for reason in found if reason.code == "words")
    assert {fragment for fragment, _ in words.detail["for"]} & {"your", "safe-login.example", "now", "account"}
    assert all(weight > 0 for _, weight in words.detail["for"])


def test_every_kind_of_reason_in_order_of_firmness(model: Model) -> None:
    """Findings first, then names, words, stance and role, each a sentence with its detail."""
    text = "文沛霖退選"
    opinion = model.judge([text])[0]
    finding = Finding(
        "roster-status", ClaimType.CANDIDATE_STATUS, "The roster says validated.", "退選", "watchlist.toml", 0.9
    )
    candidate = Candidate("man", ("文沛霖", "Perry Man"))
    scored = combine(opinion, [finding], Role.OFFICIAL, 0.5)
    found = reasons(
        explained(model, text),
        opinion,
        scored,
        [finding],
        [Match("man", "文沛霖", 0, 3)],
        Role.OFFICIAL,
        {"man": candidate},
    )
    assert [reason.code for reason in found] == ["finding", "match", "words", "stance", "role"]
    assert found[0].text == "The roster says validated."
    assert found[0].detail["rests_on"] == "watchlist.toml"
    assert found[1].text == "Names 文沛霖."
    assert "never flagged" in found[-1].text


@pytest.mark.parametrize("text", ["", "   ", "🙂", "!!!"])
def test_a_text_without_words_has_no_words_to_show(model: Model, text: str) -> None:
    """No fragment, no reason of words, no error."""
    opinion = model.judge([text])[0]
    found = reasons(explained(model, text), opinion, combine(opinion, (), None, 0.5), (), (), None, {})
    assert explained(model, text) == []
    assert [reason.code for reason in found if reason.code == "words"] == []


def test_a_word_that_training_never_saw_carries_nothing(model: Model) -> None:
    """No part of it is known, so it has no weight."""
    assert all(piece.weight == 0 for piece in explained(model, "ꙮꙮꙮ"))


def test_texts_are_explained_together_as_alone(model: Model) -> None:
    """Whatever else stands in the batch, before or after."""
    texts = [*TEXTS, "", "🙂"]
    together = fragments(model, texts, texts, model.features.transform(texts))
    for text, pieces in zip(texts, together, strict=True):
        alone = explained(model, text)
        assert [(piece.text, piece.start) for piece in pieces] == [(piece.text, piece.start) for piece in alone]
        assert [piece.weight for piece in pieces] == pytest.approx([piece.weight for piece in alone])
    assert fragments(model, [], [], model.features.transform([])) == []
