"""Counterfactuals: who is named, of which gender, party and script, moves no score; views are seldom flagged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from classifiers import fairness
from classifiers.mask import HIDDEN, Mask
from classifiers.model import Model
from monitor import seeds
from monitor.types import Candidate, Lang
from monitor.watchlist import name_forms

STRANGERS = (
    Candidate("a", ("湯瑞霖",), tuple(name_forms("Tong", "Sui-lam", "Victor")), party=("Harvest Union", "豐收聯盟")),
    Candidate("b", ("蘇綺雯",), tuple(name_forms("So", "Yee-man")), party=("Morning Star", "晨星黨")),
    Candidate("c", ("Žofie Ångström-Núñez",), ("Zofie Angstrom", "ＺＯＦＩＥ ÅNGSTRÖM"), party=("Grønn Kyst",)),
    Candidate("d", ("簡曉",), ("Kan Hiu", "Hiu Kan")),
)


@pytest.mark.parametrize("cast", [(), STRANGERS], ids=["starter", "strangers"])
def test_a_score_does_not_depend_on_who_is_named(model: Model, cast: Sequence[Candidate]) -> None:
    """Names in every form and script, genders and parties swapped: under 0.02 on average, never over the threshold."""
    for lang, figures in fairness.measure(model, cast)["swapped"].items():
        assert figures["texts"] >= 300, lang
        assert figures["mean"] < 0.02, lang
        assert figures["most"] < 0.02, lang
        assert figures["crossed"] == 0, lang


def test_names_that_are_not_hidden_would_be_seen(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure can fail: a mask that knows nobody lets a name through, and scores move."""
    monkeypatch.setattr(fairness, "Mask", lambda _people: lambda text: text)
    swapped = fairness.measure(model, STRANGERS)["swapped"]
    assert max(figures["most"] for figures in swapped.values()) > 0.02


def test_views_are_seldom_flagged(model: Model) -> None:
    """Opinion, satire and criticism, in both languages: at most one in twelve of a kind, and one in twenty of all."""
    views = fairness.measure(model)["views"]
    assert set(views) == {"opinion", "satire", "criticism"}
    cells = [cell for kind in views.values() for cell in kind.values()]
    assert all(cell["n"] == 12 and cell["flagged"] <= 1 for cell in cells)
    assert sum(cell["flagged"] for cell in cells) <= sum(cell["n"] for cell in cells) / 20


def test_the_sentences_are_rows_of_their_own() -> None:
    """No two are alike, none is taken from the examples that the model learned, each sentence names somebody."""
    rows: list[dict[str, Any]] = list(seeds.json_lines(fairness.SEED_FILE))
    texts = [row["text"] for row in rows]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {row["text"] for row in seeds.json_lines("examples.jsonl")}
    assert {Lang(row["lang"]) for row in rows} == {Lang.EN, Lang.HANT}
    assert all("{N}" in row["text"] for row in rows if row["kind"] == fairness.SWAP), json.dumps(texts)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("She said her office is hers; she runs it herself.", "He said his office is his; he runs it himself."),
        ("SHE AND HIS TEAM", "HE AND HIS TEAM"),
        ("Ms Loom, Mrs Loom and Miss Loom", "Mr Loom, Mr Loom and Mr Loom"),
        ("she told him", "he told her"),
        ("ｓｈｅ said", "ｈｅ said"),
        ("她說妳不會來，女士和小姐", "他說你不會來，先生和先生"),
        ("她说女士", "他说先生"),
    ],
)
def test_gender_is_hidden(one: str, other: str) -> None:
    """Pronouns and titles of either gender are one to the model, in both languages; every character keeps its place."""
    mask = Mask([])
    shown = [mask(text).replace(HIDDEN, "").casefold().replace("ｈｅ", "he") for text in (one, other)]
    assert shown[0] == shown[1]
    assert [len(mask(text)) for text in (one, other)] == [len(one), len(other)]


def test_words_that_look_like_titles_stay() -> None:
    """A verb, a ship and parts of other words are left alone."""
    text = "They miss the ferry; the Mistral sheds shells. 其他吉他"
    assert Mask([])(text) == text
