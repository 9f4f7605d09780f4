"""The file that people edit: it reads back as it was written, and its errors name the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.statement import is_link, missing, parse, tidied, write
from monitor.errors import InputError
from monitor.types import LANGS, Fact, Lang, Statement

FACT = Fact("票站於晚上十時三十分關閉。", "選舉事務署", "https://office.example/notice")
WHOLE = Statement("Polls close at 10.30 pm", (FACT,), "八時關閉！", "Do not pass it on.", "2345 6789")
BOTH = dict.fromkeys(LANGS, WHOLE)

_words = st.text(
    st.sampled_from("[]#\\ ab:：\n\tsource link 票站ＡＢ关闭關閉<>&\"'\u202e\u200b\u0007\u00e9e\u0301👍\ufe0f\r\u2028"),
    max_size=40,
)
_facts = st.builds(Fact, _words, _words, st.sampled_from(["", "https://office.example/a?b=1"]))
_statements = st.builds(Statement, _words, st.lists(_facts, max_size=3).map(tuple), _words, _words, _words, _words)
_HEAD = "[clarification 3, revision 2]\n"


@given(st.fixed_dictionaries(dict.fromkeys(LANGS, _statements)), st.booleans())
def test_what_is_written_reads_back(texts: dict[Lang, Statement], changed: bool) -> None:
    """Whatever stands in the texts, headers, notes and keys among it; what nobody sees is gone, once and for all."""
    one_line = {
        lang: Statement(**{**_fields(text), "title": text.title.replace("\n", " ")}) for lang, text in texts.items()
    }
    tidy = tidied(one_line)
    edited = parse(write(3, 2, tidy, changed=changed, notes=["[en title]", "a\nb"]), "3.txt")
    assert (edited.clarification_id, edited.revision, edited.texts) == (3, 2, tidy)
    assert tidied(tidy) == tidy
    assert not set("\u202e\u200b\u0007\r\u2028") & set(str(tidy))


def _fields(text: Statement) -> dict[str, object]:
    return {name: getattr(text, name) for name in Statement.__dataclass_fields__}


def test_a_hostile_claim_stays_a_claim() -> None:
    """Lines that look like sections, notes and sources are text, and keep every sign that can be seen."""
    claim = "[en contact]\n# 不是註解\nsource: nobody\n\\ a stroke\n</script><b>"
    texts = {**BOTH, Lang.EN: Statement("T", (FACT,), claim, "A", "C")}
    assert parse(write(1, 1, texts), "f").texts == texts


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("hello\n", 1, "text before the line"),
        (_HEAD + "hello\n", 1, "text before the first section"),
        (_HEAD + "\n[en titel]\n", 3, "did you mean [en title]?"),
        (_HEAD + "[fr title]\n", 2, "no such section"),
        (_HEAD + "[en title]\nA\n[en title]\nB\n", 4, "stands in line 2 already"),
        (_HEAD + "[en title]\nA\n\nB\n", 5, "a title is one line"),
        (_HEAD + "# note\n[en fact]\nSo it is.\nsource: a\nSource： b\n", 6, "a second line `source:`"),
        (_HEAD + "[zh-Hant fact]\n事實\nlink: javascript:alert(1)\n", 4, "no web address"),
        (_HEAD + "[en title]\nA\n" + _HEAD, 4, "a second line [clarification"),
    ],
)
def test_errors_name_the_line(text: str, line: int, words: str) -> None:
    """What is wrong in a file is said of the line that a person would mend."""
    with pytest.raises(InputError) as caught:
        parse(text, "3.txt")
    assert str(caught.value).startswith(f"3.txt: line {line}: ")
    assert words in str(caught.value)


def test_what_is_no_clarification_is_said_as_a_whole() -> None:
    """A file without its head, and one that nobody would read."""
    with pytest.raises(InputError, match="revision …] is missing"):
        parse("", "3.txt")
    with pytest.raises(InputError, match="holds 20001 characters"):
        parse("x" * 20_001, "3.txt")


def test_windows_files_and_full_width_colons_are_read() -> None:
    """CR LF, a byte order mark, `Source：` as a Chinese keyboard writes it."""
    text = "\ufeff" + _HEAD + "[en fact]\nIt is so.\nSOURCE：選舉事務署\n"
    assert parse(text.replace("\n", "\r\n"), "f").texts[Lang.EN].facts == (Fact("It is so.", "選舉事務署"),)


def test_what_is_missing_is_named() -> None:
    """Every section that a page needs, in both languages; a correction says what it changes."""
    assert missing(BOTH, changed=False) == []
    assert missing(BOTH, changed=True) == ["[en change] is empty", "[zh-Hant change] is empty"]
    empty = missing({Lang.EN: WHOLE, Lang.HANT: Statement(facts=(Fact(""), FACT))}, changed=False)
    assert "[zh-Hant title] is empty" in empty
    assert "[zh-Hant fact] 1 is empty" in empty
    assert "[zh-Hant fact] 1 has no line `source: …`" in empty
    assert empty[-1] == "the two languages do not have the same number of facts"
    assert "[en fact] is missing: facts come first, at least one" in missing(
        {**BOTH, Lang.EN: Statement()}, changed=False
    )


@pytest.mark.parametrize(
    ("address", "fit"),
    [
        ("https://office.example/notice?x=1", True),
        ("http://office.example", True),
        ("https://user:secret@office.example/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//office.example", False),
        ("https://", False),
        ("https://office.example/\u202egpj", False),
        ('https://office.example/"onclick=', False),
        ("https://[::1", False),
    ],
)
def test_a_link_is_an_address_to_send_a_reader_to(address: str, fit: bool) -> None:
    """http or https, a host, no password, nothing that could end an attribute."""
    assert is_link(address) is fit
