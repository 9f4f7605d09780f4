"""Titles come from strangers: in a message nothing of one pings, links, formats or turns the line."""

from __future__ import annotations

import pytest

from alerts.wording import TITLE_WIDTH, harmless


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("卓望晴今早突然退選？", "卓望晴今早突然退選？"),
        ("Turnout at 3.5 % by 11.30 a.m., says the U.S. desk", "Turnout at 3.5 % by 11.30 a.m., says the U.S. desk"),
        ("@everyone @here vote tomorrow", "＠everyone ＠here vote tomorrow"),
        ("<!channel> <@U123> <#C1|x>", "＜!channel＞ ＜＠U123＞ ＜＃C1｜x＞"),
        ("<b>投票</b> &lt;script&gt;", "＜b＞投票＜/b＞ ＆lt;script＆gt;"),
        ("[改期](https://evil.example/x)", "［改期］(https：//evil(.)example/x)"),
        (
            "**bold** __under__ ~~gone~~ `code` ||spoiler||",
            "＊＊bold＊＊ ＿＿under＿＿ ～～gone～～ ｀code｀ ｜｜spoiler｜｜",
        ),
        ("# Heading\r\n\n- item\u2028next", "＃ Heading - item next"),
        ("mailto:x@evil.example tel:12345", "mailto：x＠evil(.)example tel：12345"),
        ("visit evil.example now", "visit evil(.)example now"),
        ("\u202egnol\u202c \u200b\x1b[31mred\x07", "gnol ［31mred"),
        ("${HOME} {title} %s", "＄｛HOME｝ ｛title｝ %s"),
        ("＠everyone ＜b＞", "＠everyone ＜b＞"),
    ],
)
def test_a_title_is_only_words(title: str, shown: str) -> None:
    """English, Chinese, and what chat services make something of."""
    assert harmless(title) == shown


def test_a_title_is_short() -> None:
    """However long it was, and whatever it grows by."""
    assert len(harmless("退選" * 500_000)) == TITLE_WIDTH
    assert len(harmless("a.aa" * 100_000)) == TITLE_WIDTH
