"""Text as the rest of the house sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.invisible import INVISIBLE
from monitor.text import (
    clean,
    detect_lang,
    fold,
    fold_with_offsets,
    from_html,
    is_word_boundary,
    shorten,
)
from monitor.types import Lang, join_text


@given(st.text())
def test_clean_text_is_one_visible_line(text: str) -> None:
    """No control, bidi or zero-width character survives, no line break, no double space; twice is as once."""
    cleaned = clean(text)
    assert not INVISIBLE.search(cleaned)
    assert cleaned == " ".join(cleaned.split())
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<p>Polls close at 10<p>Bring ID", "Polls close at 10 Bring ID"),
        ("<ul><li>One<li>Two</ul>", "One Two"),
        ("<td>A</td><td>B</td>", "A B"),
        ("<table><tr><th>票站<td>投票<tr><td>关闭</table>", "票站 投票 关闭"),
        ("<dl><dt>ＶＯＴＥ<dd>投票</dl>", "ＶＯＴＥ 投票"),
        ("選<section>舉</section>日<hr>期", "選 舉 日 期"),
        ("<figure><figcaption>Caption</figcaption></figure>text", "Caption text"),
        ("<p class='a>b' title='" + "x" * 500 + "'>A</p>B", "A B"),
        ("A<P\nid=x>B<H2>C</H2>D", "A B C D"),
        ("a<br>b", "a b"),
        ("un<b>believ</b>able <em>x</em><wbr>y", "unbelievable xy"),
        ("a<p-x>b</p-x><progress>c</progress>", "abc"),
        ("選<b>舉</b>", "選舉"),
        ("5 < 6 &amp; 7 > 6", "5 < 6 & 7 > 6"),
        ("&#36984;&#33289;", "選舉"),
        ("x<script>alert(1)</script>y<style>p{}</style>", "xy"),
        ("<img src=x onerror=alert(1)>ok", "ok"),
        ("&lt;b&gt;shown&lt;/b&gt;", "<b>shown</b>"),
        ("<!-- hidden -->seen", "seen"),
        ("", ""),
    ],
)
def test_html_becomes_the_words_a_reader_sees(markup: str, text: str) -> None:
    """Blocks part words, inline tags do not; entities are decoded once."""
    assert from_html(markup) == text


def test_what_a_hidden_character_parted_is_composed() -> None:
    """A letter and its accent become one character though a zero-width one stood between, or a ruled line beside."""
    assert clean("cafe\u200b\u0301") == "café"
    assert clean("e\u0301" + "=" * 300 + "e\u0301") == "é" + "=" * 300 + "é"


@pytest.mark.parametrize(
    "spelling", ["選舉事務署", "选举事务署", "選\u200b舉事務署", " 選舉事務署 ", "選舉\ufe0f事務署"]
)
def test_scripts_and_invisible_characters_fold_together(spelling: str) -> None:
    """繁, 简 and text with hidden characters compare equal."""
    assert fold(spelling) == fold("選舉事務署")


def test_full_width_and_case_fold_together() -> None:
    """ＶＯＴＥ　２０２７ is vote 2027."""
    assert fold("ＶＯＴＥ　２０２７！") == "vote 2027!"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_offsets_lead_back_to_the_original(text: str) -> None:
    """One offset for each folded character, never decreasing, inside the text."""
    folded, offsets = fold_with_offsets(text)
    assert len(folded) == len(offsets)
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)
    assert " ".join(folded.split()) == fold(text)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Polls open at half past eight", Lang.EN),
        ("選舉事務署澄清投票時間", Lang.HANT),
        ("选举事务署澄清投票时间", Lang.HANS),
        ("卓望晴 Vivian Cheuk 出席論壇，回應選民對交通和醫療的提問", Lang.HANT),
        ("Vivian Cheuk (卓望晴) answered questions about buses and clinics", Lang.EN),
        ("", Lang.EN),
        ("2027 !!!", Lang.EN),
        ("人口", Lang.HANT),
    ],
)
def test_language_goes_by_script(text: str, lang: Lang) -> None:
    """Traditional, Simplified, English and mixtures; Traditional when the characters do not tell."""
    assert detect_lang(text) is lang


def test_boundaries_are_for_latin_words_only() -> None:
    """`man` is not found inside `many`, but a Chinese name may touch its neighbours."""
    assert not is_word_boundary("many", 0, 3)
    assert not is_word_boundary("woman", 2, 5)
    assert is_word_boundary("a man.", 2, 5)
    assert is_word_boundary("訪卓望晴談", 1, 4)


def test_small_helpers() -> None:
    """Shortened text fits, a summary that repeats the title is left out."""
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
    assert [join_text("t", s) for s in ("", "t", "s")] == ["t", "t", "t\ns"]
    assert join_text("", "s") == "s"
