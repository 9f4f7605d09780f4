"""Numbers as texts write them, and the time that reading takes whatever a text holds."""

from __future__ import annotations

import time
from statistics import median

import pytest

from classifiers import neardup
from classifiers.assess import Bench, Judged
from classifiers.model import Model
from classifiers.rules.numbers import number
from classifiers.rules.reading import sentences
from monitor.config import Settings
from monitor.text import fold
from monitor.types import Lang


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("912,346", 912_346),
        ("1.2 million", 1_200_000),
        ("120萬", 1_200_000),
        ("九十一万二千", 912_000),
        ("二〇二七", 2027),
        ("５００", 500),
        ("five thousand", 5000),
        ("1" + "0" * 12, 10**12),
        ("1" + "0" * 13, None),
        ("1" + "亿" * 60, None),
        ("九" * 5000, None),
        ("亿" * 20_000, None),
        ("9" * 400, None),
        ("1 million million million", None),
        ("many", None),
        ("", None),
    ],
)
def test_number(words: str, value: int | None) -> None:
    """In both scripts, full width and words; what is no number, or one beyond all measure, is none."""
    assert number(fold(words)) == value


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Vote No. 3, Mr. Chan. Polls close at 8 p.m. today.", 2),
        ("Wait... Polls close early", 2),
        ("He voted no... Then he left.", 2),
        ("Version 1.2 is out", 1),
        ('"Closed." So they say.', 2),
        ("投票完畢。已經關門！真的？", 3),
    ],
)
def test_where_sentences_end(text: str, count: int) -> None:
    """At full stops that belong to no abbreviation or number, at dots in a row, and at Chinese ones."""
    assert len(list(sentences(text))) == count


HOSTILE = [
    ".", ". ", "a.", "a-", "a.-", "-.", "1", "1.", "1,", "1 ", "1-", "!", "?", "'", '"', '."', "”", "(", "[a", "【",
    " ", "\n", "a\n", "\u3000", "，", "。", "零", "億", "1萬", "投票站", "卓望晴", "退選 ", "是2號", "ａ．", "e\u0301",
    "😀", "@a", "www.", "http://", " - A b", "polls at ", "polls will be ", "verify ", "one hundred ", "million ",
    "Perry Man, ", "選民1.", "a選1.", "<a>&", "8點至", "xn--a.", "6123 4567 ",
    "they deny it, but ", "否認，但", "not true, but i ",
    "請你", "your vote ", "https://a@", "投票率", "turnout ", "1萬人投票", "百分之", "卓 ", "Ms Cheuk ", "身份證",
    "候選人卓望晴",
    "5 votes counted ", "5 people voted ", "Vivian-", "-Cheuk",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_the_length_and_no_faster(model: Model, settings: Settings, unit: str) -> None:
    """Four times the length may take eight times as long, not sixteen: nothing in the house reads in square time."""
    bench = Bench.of("seed", model, settings)

    def cost(length: int) -> float:
        text = f"Perry Man 投票站{unit * length}"[: length - 1] + "x"
        taken = []
        for _ in range(3):
            start = time.process_time()
            bench.assess([Judged(text, Lang.EN)])
            neardup.signature(text)
            taken.append(time.process_time() - start)
        return median(taken)

    cost(1000)  # tables are filled on first use
    assert cost(20_000) < 8 * cost(5_000)
