"""The card of a model: made when it is registered, kept with its hash, and shown to people in both languages."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from classifiers import card_page, registry
from classifiers.card import Card, card
from classifiers.cli.models import models as command
from classifiers.examples import seed_examples
from classifiers.lessons import Lesson, Origin, seed_lessons
from classifiers.model import Model
from monitor import language
from monitor.cli.base import Context
from monitor.config import Settings
from monitor.errors import InputError, ModelError
from monitor.store import Store, models
from monitor.store.schema import models as table
from monitor.types import Label, Lang


@pytest.fixture(scope="module")
def shown(model: Model) -> Card:
    """The card of the model that the seeds give, by scores that are wrong where we want them to be."""
    lessons = seed_lessons()
    scores = np.array([0.9 if lesson.example.suspicious else 0.1 for lesson in lessons])
    for label, score in ((Label.GENUINE, 0.99), (Label.FALSE_INFORMATION, 0.01)):
        place = next(n for n, lesson in enumerate(lessons) if lesson.example.label is label)
        scores[place] = score
    reviewed = Lesson(lessons[0].example, Origin.REVIEWED)  # a text of an outlet, and the worst mistake of all
    worst = 0.0 if reviewed.example.suspicious else 1.0
    return card("seed-test", "0" * 64, model, [*lessons, reviewed], np.append(scores, worst))


def test_it_says_what_it_should(shown: Card) -> None:
    """Origin of the rows, figures of each language, claim type and stance with intervals, the curve, people alike."""
    facts = json.loads(shown.dumps())
    assert facts["training"]["origin"] == {"reviewed": 1, "seeds": len(seed_examples())}
    figures = facts["figures"]
    assert set(figures["by_lang"]) == set(Lang)
    assert {"asserts", "refutes"} <= set(figures["by_stance"])
    assert {"scam-lure", "candidate-status"} <= set(figures["by_claim_type"])
    low, high = figures["by_lang"]["en"]["intervals"]["recall"]
    assert low <= figures["by_lang"]["en"]["recall"] <= high
    assert sum(n for _mean, _share, n in facts["reliability"]) == len(seed_examples()) + 1
    assert facts["fairness"]["swapped"]["en"]["crossed"] == 0
    assert all(facts["says"][part] for part in ("is", "intended", "forbidden"))


def test_known_failures_are_invented_texts_with_names_hidden(shown: Card) -> None:
    """The worst of each kind, of the seeds alone: what outlets wrote is never kept in a card."""
    failures = shown.facts["failures"]
    assert [len(failures[kind]) for kind in ("missed", "mistaken")] == [1, 1]
    assert (failures["missed"][0]["score"], failures["mistaken"][0]["score"]) == (0.01, 0.99)
    assert not re.search("[\ue000-\uf8ff]", json.dumps(failures, ensure_ascii=False))


@pytest.mark.parametrize(("lang", "heading"), [("en", "What it must not be used for"), ("zh-Hant", "不得用於")])
def test_the_page_needs_nothing_and_obeys_nobody(shown: Card, lang: str, heading: str) -> None:
    """No script, nothing from elsewhere, every value escaped; one page in each language."""
    language.use(lang)
    facts: dict[str, Any] = json.loads(shown.dumps())
    hostile = "<script>alert(1)</script>\u202e$model"
    facts["model"] = facts["failures"]["missed"][0]["text"] = hostile
    page = card_page.page(Card(facts), "2027-03-01")
    assert heading in page
    assert f'lang="{lang}"' in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert not re.search(r"https?:|url\(|@import", page.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    assert page.count("<svg") == 1


def test_it_is_kept_beside_the_model(store: Store, settings: Settings, now: datetime, tmp_path: Path) -> None:
    """With its hash in the registry; in the terminal, as JSON and as a page; a changed one is refused."""
    id, _ = registry.live(store, now)
    with store.read() as connection:
        kept = registry.card_of(connection, id)
        row = registry.describe(models.get(connection, id))
    assert kept.facts["data_sha256"] == row["data_sha256"]
    assert re.fullmatch("[0-9a-f]{64}", row["card_sha256"])
    assert json.loads(_run(settings, "show", "--card", "--json").stdout) == kept.facts
    told = _run(settings, "show", "--card").stdout
    assert "It does not know what is true" in told
    assert "Falsehoods that it ranks low" in told
    file = tmp_path / "card.html"
    assert _run(settings, "show", id, "--out", str(file)).stdout == ""
    assert "<svg" in file.read_text(encoding="utf-8")
    assert isinstance(_run(settings, "show", "--out", str(tmp_path / "no" / "card.html")).exception, InputError)
    with store.write() as connection:
        connection.execute(update(table).values(card=kept.dumps().replace(b"does not know", b"knows")))
    with store.read() as connection, pytest.raises(ModelError, match="changed after it was made"):
        registry.card_of(connection, id)
    with store.write() as connection:
        connection.execute(update(table).values(card=None, card_sha256=None))
    with store.read() as connection, pytest.raises(ModelError, match="before cards were kept"):
        registry.card_of(connection, id)


def _run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(command, words, obj=Context(settings.file))
