"""Reasons: the words that moved the score, as they stand in the text."""

from __future__ import annotations

from itertools import pairwise

import pytest

from classifiers.assess import Bench, Judged
from classifiers.explain import Fragment, Seen, fragments, known_words, reasons, style_weights
from classifiers.model import Model, chinese, label_values
from classifiers.scoring import combine
from monitor.types import Candidate, ClaimType, Finding, Lang, Match, Role, Said


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
    """What fragments and style carry is the likeliest label's value, but for marks between words and the script."""
    row = model.features.transform([text])
    values = label_values(model.label, row)[0]
    likeliest = chinese(row)[0] * len(values) + values.argmax()
    value = float(values.max() - model.label.intercepts[likeliest])
    value -= float(model.label.weights[likeliest, -1]) * row.toarray()[0, -1]
    carried = sum(piece.weight for piece in explained(model, text)) + sum(style_weights(model, row)[0].values())
    assert carried == pytest.approx(value, abs=0.12)


def test_a_scam_is_explained_by_its_lure(model: Model) -> None:
    """The words a person would point at are among those that speak for it."""
    text = TEXTS[0]
    opinion = model.judge([text])[0]
    found = reasons(Seen(explained(model, text), (4, 4)), combine(opinion, (), None, 0.5), (), (), None, {})
    words = next(reason for reason in found if reason.code == "words")
    assert {fragment for fragment, _ in words.detail["for"]} & {"your", "safe-login.example", "now", "account"}
    assert all(weight > 0 for _, weight in words.detail["for"])


def test_every_kind_of_reason_in_order_of_firmness(model: Model) -> None:
    """Findings first, then names, words, stance and role, each a sentence with its detail."""
    text = "文沛霖退選"
    opinion = model.judge([text])[0]
    finding = Finding(
        "roster-status", ClaimType.CANDIDATE_STATUS, Said("The roster says validated."), "退選", "watchlist.toml", 0.9
    )
    candidate = Candidate("man", ("文沛霖", "Perry Man"))
    scored = combine(opinion, [finding], Role.OFFICIAL, 0.5)
    found = reasons(
        Seen(explained(model, text), (5, 5)),
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
    found = reasons(Seen(explained(model, text), (4, 4)), combine(opinion, (), None, 0.5), (), (), None, {})
    assert explained(model, text) == []
    assert [reason.code for reason in found if reason.code == "words"] == []


def test_the_last_digits_decide_nothing(model: Model) -> None:
    """They differ with what else is in a batch: equals stand in one order, and nothing is nothing."""
    opinion = model.judge(["a"])[0]
    for noise in (1e-17, -1e-17, 0.0):
        pieces = [Fragment("Ballot", 0.25 + noise, 0, 6), Fragment("ballot", 0.25 - noise, 7, 13)]
        pieces += [Fragment("渡輪", noise, 14, 16), Fragment("落雨", -0.2, 17, 19)]
        found = reasons(Seen(pieces, (4, 4)), combine(opinion, (), None, 0.5), (), (), None, {})
        words = next(reason.detail for reason in found if reason.code == "words")
        assert words == {"for": [("Ballot", 0.25), ("ballot", 0.25)], "against": [("落雨", -0.2)]}


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


UNSEEN = [
    "Ang bangka ay umalis nang maaga dahil sa malakas na ulan sa dagat kahapon ng umaga",
    "Die Fähre legte gestern wegen starken Regens früher ab, teilte der Betreiber abends mit",
    "Паром ушёл раньше срока из-за сильного дождя",
    "フェリーはつよいあめのためはやめにしゅっぱつしました",
    "鱻麤龘靐齉爩鸞鱺黌鬮籲灩",  # Han, but none that anybody writes
]
SEEN = [
    "The ferry left early because of heavy rain, the operator said in the evening on its page",
    "渡輪公司表示，由於大雨關係，今日傍晚最後一班渡輪提早開出",
    "渡轮公司表示，由于大雨关系，今日傍晚最后一班渡轮提早开出",
    "Ｔｈｅ ferry left early 因為大雨，the operator said 今日傍晚會再公布",
]


def of(model: Model, text: str) -> dict[str, str]:
    """The reasons of a text judged alone, code and sentence."""
    bench = Bench.of("seed", model, None)
    return {reason.code: reason.text for reason in bench.assess([Judged(text, Lang.EN)])[0].reasons}


@pytest.mark.parametrize("text", UNSEEN)
def test_a_text_unlike_any_that_was_learned_says_so(model: Model, text: str) -> None:
    """Other languages and scripts: how many words are known, before what the words weigh."""
    found = of(model, text)
    known, words = known_words(model, [text])[0]
    assert f"it knows {known} of {words} words" in found["unfamiliar"]
    assert list(found).index("unfamiliar") < list(found).index("stance")


@pytest.mark.parametrize("text", [*SEEN, *TEXTS, "", "Паром", "12 345 6789, 10, 11; 12: 13"])
def test_a_text_in_either_language_does_not(model: Model, text: str) -> None:
    """English, Traditional, Simplified, mixed and full-width; nor one too short to tell."""
    assert "unfamiliar" not in of(model, text)


def test_known_words_are_counted_alike_together_and_alone(model: Model) -> None:
    """Whatever else stands in the batch; a text without words has none to know."""
    texts = [*UNSEEN, "", *SEEN]
    assert known_words(model, texts) == [known_words(model, [text])[0] for text in texts]
    assert known_words(model, ["", "🙂"]) == [(0, 0), (0, 0)]
    assert known_words(model, []) == []
