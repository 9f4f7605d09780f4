"""The pages that commands write, in the browser: a drill's report, a model's card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from alerts import drill_page
from classifiers import card_page
from classifiers.card import FORBIDDEN, INTENDED, IS, Card
from tests.browser.looking import Seen, look, opened

LONG = "Hurry, the polls close at 5 pm 快啲去投票，五點就關門 " * 3


@pytest.fixture
def seen(browser: Browser) -> Iterator[Seen]:
    """A fresh reader."""
    with opened(browser) as found:
        yield found


def test_the_page_of_a_drill_is_fit_to_be_read(tmp_path: Path, seen: Seen) -> None:
    """Its tables and its timeline scroll in themselves, also for who has no mouse."""
    times = {"flag_s": 60, "take_s": 90, "decision_s": 300}
    row = {"claim_type": "voting-procedure", "title": LONG, "published_at": "2027-03-14T01:00:00+00:00"}
    why = {"said": {"form": "it was not assessed", "values": {}}}
    plants = [
        {"id": "p1", **row, **times, "detected": True, "refuted_at": "2027-03-14T02:00:00+00:00"},
        {"id": "p2", **row, **dict.fromkeys(times), **why, "detected": False, "refuted_at": None},
    ]
    part = {"planted": 2, "detected": 1, "recall": 0.5, "p50_s": 60, "p90_s": 60}
    counts = {"items": 9, "false_alarms": 1, "false_alarms_per_hour": 0.5, "refutations": 1, "refutations_flagged": 0}
    report: dict[str, Any] = {
        "drill": "two feeds",
        "from": "2027-03-14T00:00:00+00:00",
        "to": "2027-03-14T03:00:00+00:00",
        **part,
        **counts,
        "times": {name: {"n": 1, "p50_s": 60, "p90_s": 60} for name in ("flag", "take", "decision")},
        "by_claim_type": [{"claim_type": "voting-procedure", **part}],
        "by_lang": [{"lang": "en", **part}],
        "hours": [{"at": "2027-03-14T00:00:00+00:00", "items": 9, "alerts": 1, "false_alarms": 1}],
        "plants": plants,
    }
    file = tmp_path / "drill.html"
    file.write_text(drill_page.page(report, ZoneInfo("Asia/Hong_Kong")), encoding="utf-8")
    look(seen, file.as_uri(), "light")
    look(seen, file.as_uri(), "dark")


def test_the_card_of_a_model_is_fit_to_be_read(tmp_path: Path, seen: Seen) -> None:
    """With everything that a card can hold."""
    figures = {"n": 40, "positives": 20, "ap": 0.9, "recall": 0.8, "false_flags": 0.1, "calibration_error": 0.02}
    figures |= {"intervals": {"ap": [0.8, 0.95]}}
    failure = {"text": LONG, "lang": "en", "stance": "asserts", "claim_type": "voting-procedure", "score": 0.1}
    cell = {"n": 12, "flagged": 1}
    says = {"is": IS, "intended": INTENDED, "forbidden": FORBIDDEN}
    card = Card(
        {
            "model": "seed-1",
            "data_sha256": "0" * 64,
            "training": {"origin": {"seeds": 40}, "lang": {"en": 40}, "label": {"suspicious": 20, "genuine": 20}},
            "figures": {**figures, "by_lang": {"en": figures}, "level": 0.95, "resamples": 200},
            "reliability": [[0.1, 0.1, 20], [0.9, 0.8, 20]],
            "failures": {"missed": [failure], "mistaken": [failure]},
            "fairness": {
                "swapped": {"en": {"texts": 30, "mean": 0.001, "most": 0.01, "crossed": 0}},
                "views": {kind: {"en": cell, "zh-Hant": cell} for kind in ("opinion", "satire", "criticism")},
            },
            "says": {name: [said.form for said in sentences] for name, sentences in says.items()},
        }
    )
    file = tmp_path / "card.html"
    file.write_text(card_page.page(card, "2027-03-14 09:00"), encoding="utf-8")
    look(seen, file.as_uri(), "light")
    look(seen, file.as_uri(), "dark")
