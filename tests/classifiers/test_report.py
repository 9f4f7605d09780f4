"""The page and the table of an evaluation: complete, self-contained, and never steered by the labels of a file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from classifiers.evaluate import Evaluation, evaluate
from classifiers.examples import seed_examples
from classifiers.model import Model
from classifiers.report import COLUMNS, meaning, page, table_rows
from monitor import language

HOSTILE = '"><script>alert(1)</script>\u202e$model'


@pytest.fixture(scope="module")
def evaluation(model: Model) -> Evaluation:
    """Forty invented texts in two languages, one of them with a hostile kind."""
    rows = [
        *({"text": f"Card {i} is locked, type your code at kb-safe.example", "y": 1, "kind": "scam"} for i in range(5)),
        *({"text": f"戶口{i}已凍結，請即於 kb-safe.example 輸入密碼", "y": 1, "kind": "scam"} for i in range(5)),
        *({"text": f"Ferry {i} leaves Jade Bay at noon", "y": 0, "kind": "news"} for i in range(14)),
        *({"text": f"月升島街市第{i}檔今日開張", "y": 0, "kind": "news"} for i in range(13)),
        *({"text": text, "y": 1, "kind": "false_claim"} for text in ("Ferry 9 sank at noon", "月升島街市已經結業")),
        {"text": "選舉事務署澄清票站没有改期", "y": 0, "kind": HOSTILE, "stance": "refutes"},
    ]
    return evaluate(model, [(f"line {i}", row) for i, row in enumerate(rows, 1)], seed_examples())


class _Tags(HTMLParser):
    """Collects start tags and checks that what opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_escapes_what_it_shows(evaluation: Evaluation) -> None:
    """No script, no address, nothing left open; hostile names stand there as text, without what nobody sees."""
    shown = page(evaluation, evaluation.figures(), f"seed-1{HOSTILE}", f"file{HOSTILE}.jsonl")
    tags = _Tags()
    tags.feed(shown)
    tags.close()
    assert tags.open == []
    assert "script" not in tags.seen
    assert tags.addresses == []
    assert not re.search(r"https?:|url\(|@import", shown.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    assert "\u202e" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "$model" in shown  # of a label: the template fills in nothing twice


def test_the_page_holds_every_curve_table_and_meaning(evaluation: Evaluation) -> None:
    """Four charts, the judges beside each other, each group, every figure explained, and what a score means."""
    figures = evaluation.figures()
    shown = page(evaluation, figures, "seed-1", "labelled.jsonl")
    assert shown.count("<svg") == 4
    assert all(f"<dt>{column.name}</dt>" in shown for column in COLUMNS)
    for heading in ("The whole", "This model by language", "This model by kind", "Plain TF-IDF by stance"):
        assert f"<h2>{heading}</h2>" in shown
    assert f"{figures['model']['calibration_error']:.3f}<small>" in shown
    assert "no probability" in shown


def test_the_table_has_a_row_for_every_judge_and_group(evaluation: Evaluation) -> None:
    """Intervals stand beside the figures that decide."""
    rows = list(table_rows(evaluation.figures()))
    assert {row["judge"] for row in rows} == {"model", "baseline", "majority"}
    assert {"all", "lang en", "lang zh-Hant", "kind scam", "stance refutes"} <= {row["texts"] for row in rows}
    whole = next(row for row in rows if row["judge"] == "baseline" and row["texts"] == "all")
    assert re.fullmatch(r"[\d.]+ \([\d.]+-[\d.]+\)", whole["ap"])


def test_what_a_score_means_is_said_with_the_figures_found(evaluation: Evaluation) -> None:
    """With both kinds of texts the error before and after the shift; with one kind only what a score is."""
    whole = evaluation.figures()["model"]
    assert "30.0% of the texts are suspicious" in meaning(whole)
    assert f"{whole['calibration_error']:.3f}" in meaning(whole)
    assert f"{whole['logit_shift']:+.2f}" in meaning(whole)
    assert "probability as" not in meaning(whole | {"logit_shift": None})
    assert meaning(whole | {"logit_shift": None}).endswith("does not refute.")


def test_the_page_speaks_the_readers_language(evaluation: Evaluation) -> None:
    """Headings, explanations, charts and tables in Traditional Chinese; no English sentence is left over."""
    measured = evaluation.figures()
    with language.speaking("zh-Hant"):
        chinese = page(evaluation, measured, "m-1", "texts.jsonl")
        said = meaning(measured["model"])
    assert '<html lang="zh-Hant">' in chinese
    assert "可靠度" in chinese
    assert said in chinese
    words = set(re.findall(r"[a-z]{4,}", re.sub(r"(?s)<style>.*?</style>|<[^>]*>|&[a-z]+;", " ", chinese)))
    assert words <= {"pollwatch", "texts", "jsonl", "scam", "news", "false", "claim", "script", "alert", "model"}
