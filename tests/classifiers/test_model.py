"""The model: what it says of clear cases, that it is the same every time, and that it can be stored."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.examples import IMPERSONATION_TYPES, Example, seed_examples
from classifiers.heads import Array
from classifiers.model import FALSE_FLAGS, LANGUAGES, Model, fit, label_values
from monitor.text import detect_lang
from monitor.types import Label, Lang, Stance

SCAM = "您好，您的戶口已被凍結，請即按 safe-login.example 輸入密碼及驗證碼，逾時戶口將被註銷。"
RUMOUR = "快轉發！翠灣北票站啱啱起火封咗，入面有人話啲選票全部燒晒，新聞一個字都唔敢報！！"
NEWS = "Ferry company adds two sailings on Sunday evenings from June, and says fares will stay as they are."
REFUTATION = "選舉事務署澄清，網上有關投票時間縮短的訊息並非事實，呼籲市民不要輕信謠言。"

_SUBJECTS = ["禮券", "獎賞", "補貼", "退款", "bonus", "tides", "roofs", "paint", "bread", "maps"]


def test_clear_cases(model: Model) -> None:
    """Scam and rumour are over the threshold and told apart; ordinary news and a refutation are below it."""
    scam, rumour, news, refutation = model.judge([SCAM, RUMOUR, NEWS, REFUTATION])
    assert min(scam.probability, rumour.probability) >= model.threshold > max(news.probability, refutation.probability)
    assert (scam.kind, rumour.kind) == (Label.IMPERSONATION, Label.FALSE_INFORMATION)
    assert refutation.stance is Stance.REFUTES


@pytest.mark.parametrize(
    "text",
    [
        "Do not believe the denial. The polling hall on Heron Street is shut for good. Staff were told to keep quiet.",
        "選舉事務署話冇不實資訊，但係我親眼見到有人將成疊選票塞落垃圾袋，佢哋只係唔敢認，快啲轉發。",
        "不要相信闢謠，票站其實三點就關門，職員已經收到通知，趕快叫家人去投。",
        "说是谣言的人都在装糊涂，投票机早就设定好了，无论投谁最后都是同一个人赢，赶紧告诉大家。",
    ],
)
def test_a_rumour_that_scoffs_at_its_denial_is_no_refutation(model: Model, text: str) -> None:
    """It holds the words of those who refute and takes nothing back."""
    (opinion,) = model.judge([text])
    assert opinion.probability >= model.threshold
    assert opinion.stance is not Stance.REFUTES


@pytest.mark.parametrize(
    "text",
    [
        "The office says the story about missing ballots is baseless: every box was sealed before all agents.",
        "選舉事務署澄清，網上指有人將選票塞進垃圾袋的說法並不屬實，呼籲市民不要輕信。",
        "网传投票机早已设定好结果，选举事务署反驳称纯属谣言，所有机器均由各候选人代表查验。",
    ],
)
def test_a_refutation_of_such_a_rumour_is_below_the_threshold(model: Model, text: str) -> None:
    """The same claims in the same words, taken back."""
    (opinion,) = model.judge([text])
    assert opinion.probability < model.threshold
    assert opinion.stance is Stance.REFUTES


def test_traditional_simplified_and_full_width_are_judged_alike(model: Model) -> None:
    """The same words in another script or width get the same opinion."""
    simplified = "您好，您的户口已被冻结，请即按 safe-login.example 输入密码及验证码，逾时户口将被注销。"
    wide = SCAM.replace("safe-login.example", "ｓａｆｅ-ｌｏｇｉｎ．ｅｘａｍｐｌｅ")
    first, *others = model.judge([SCAM, simplified, wide])
    assert all(other == first for other in others)


def test_kind_and_claim_type_agree(model: Model) -> None:
    """An impersonation never gets a claim type of false information, nor the other way round."""
    for opinion in model.judge([example.text for example in seed_examples()[::5]]):
        assert (opinion.kind is Label.IMPERSONATION) == (opinion.claim_type in IMPERSONATION_TYPES)
        assert 0 <= opinion.probability <= 1


def test_batches_make_no_difference(model: Model) -> None:
    """Judged together or one by one, a text gets the same opinion; no text, no opinion."""
    texts = [SCAM, "", NEWS]
    assert model.judge([]) == []
    for text, together in zip(texts, model.judge(texts), strict=True):
        (alone,) = model.judge([text])
        assert alone.probability == pytest.approx(together.probability, abs=1e-12)
        assert (alone.stance, alone.claim_type) == (together.stance, together.claim_type)


def test_training_again_gives_the_same_model(model: Model) -> None:
    """Two runs on the same rows agree in every number."""
    again, _ = fit(seed_examples())
    for name, value in again.state().items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, model.state()[name])
    assert again.threshold == model.threshold
    assert np.array_equal(again.label.weights, model.label.weights)


def test_the_threshold_keeps_its_rule() -> None:
    """Out of fold, FALSE_FLAGS of the genuine examples of each language is flagged, and far more of the others."""
    examples = seed_examples()
    model, scores = fit(examples)
    genuine = np.array([not example.suspicious for example in examples])
    chinese = np.array([detect_lang(example.text) is not Lang.EN for example in examples])
    for language in (chinese, ~chinese):
        flagged = scores >= model.threshold
        assert flagged[genuine & language].mean() == pytest.approx(FALSE_FLAGS, abs=0.01)
        assert flagged[~genuine & language].mean() > 2 * FALSE_FLAGS


@pytest.mark.parametrize("missing", [Label.GENUINE, Label.FALSE_INFORMATION, Label.IMPERSONATION])
def test_a_label_without_texts_is_refused(missing: Label) -> None:
    """The error names what there must be."""
    with pytest.raises(ValueError, match=f"labelled .*{missing}|of each"):
        fit([example for example in seed_examples() if example.label is not missing])


def test_each_language_learns_from_its_own_texts() -> None:
    """A word that lures in Chinese and stands in English news speaks for one and against the other."""
    rows = seed_examples()[::5]
    lures = [Example(f"速按 zarbon 領取{what}，逾時作廢", Label.IMPERSONATION, Lang.HANT) for what in _SUBJECTS]
    news = [Example(f"The zarbon club meets to talk about {what}", Label.GENUINE, Lang.EN) for what in _SUBJECTS]
    model, _ = fit([*rows, *lures, *news])
    values = [label_values(model.label, model.features.transform([text]))[0] for text in ("領取 zarbon", "a zarbon")]
    plain = [label_values(model.label, model.features.transform([text]))[0] for text in ("領取", "a")]
    assert values[0][1] > plain[0][1]
    assert values[1][1] < plain[1][1]


def test_what_people_decided_counts_by_itself_too() -> None:
    """Half as much again after 100 decisions, three quarters after 300; only where both labels were decided on."""
    seeds = seed_examples()[::5]
    said = [Example(f"A zarbon hides {what} from voters", Label.FALSE_INFORMATION, Lang.EN) for what in _SUBJECTS]
    dismissed = [Example(f"The club talks about {what}", Label.GENUINE, Lang.EN) for what in _SUBJECTS]
    examples = [*seeds, *said, *dismissed]

    def weights(for_said: float, for_dismissed: float) -> Array:
        decisions = [0.0] * len(seeds) + [for_said] * len(said) + [for_dismissed] * len(dismissed)
        return fit(examples, decisions=decisions)[0].label.weights.astype(float)

    none, few, many, one_sided = weights(0, 0), weights(5, 5), weights(15, 15), weights(0, 5)
    assert np.array_equal(one_sided, none)
    assert np.abs(few - none)[0].max() > 0.01
    assert many[0] - none[0] == pytest.approx(1.5 * (few[0] - none[0]), abs=1e-5)
    assert np.array_equal(few[1], none[1])  # nobody decided on impersonation
    term = fit(examples)[0].features
    zarbon = term.columns(term.terms(["zarbon"])).max()
    assert few[0][zarbon] > none[0][zarbon] > 0


def test_a_language_without_texts_of_a_label_takes_it_from_the_other() -> None:
    """A team may label in one language alone: its words still count in the other."""
    rows = [row for row in seed_examples()[::5] if row.lang is Lang.EN or row.label is not Label.IMPERSONATION]
    model, _ = fit(rows)
    values = label_values(
        model.label, model.features.transform(["your account is frozen 票", "票站開放 account frozen"])
    )
    english, chinese = model.label.weights[1], model.label.weights[len(LANGUAGES) + 1]
    assert np.isfinite(values).all()
    assert np.any(chinese)
    assert not np.array_equal(english, chinese)  # the one from all texts, the other from its own


def test_a_model_survives_its_state(model: Model) -> None:
    """Taken apart and put together it judges the same."""
    assert Model.from_state(model.state()).judge([SCAM, NEWS]) == model.judge([SCAM, NEWS])
