"""Which characters a document holds, whatever it says of itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from monitor.encoding import decode

HANT = (
    "選舉事務署今日澄清：網上流傳的投票時間並不正確。海港市各票站由早上七時半開放至晚上十時半，選民須帶同身分證明文件，"
    "前往指定票站投票。署方呼籲市民不要輕信來歷不明的訊息，如有查詢，可致電二十四小時熱線。"
)
HANS = (
    "选举事务署今日澄清：网上流传的投票时间并不正确。海港市各票站由早上七时半开放至晚上十时半，选民须带同身份证明文件，"
    "前往指定票站投票。署方呼吁市民不要轻信来历不明的信息，如有查询，可致电二十四小时热线。"
)
MIXED = HANT[:60] + " The office set the record straight, ＡＢＣ１２３. " + HANS[:60]
CANTONESE = "佢哋話啲票站冇開門，其實係流料嚟㗎，嗰份通告唔係選舉事務署出嘅，咁樣亂噏好唔負責任喎。" * 2


def feed(text: str, declared: str | None = None) -> str:
    """A feed of one entry, with or without an XML declaration."""
    start = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return f"{start}<rss><channel><title>{text[:12]}</title><item><title>{text}</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (HANT, "big5"),
        (CANTONESE, "big5hkscs"),
        (HANT, "gb18030"),
        (HANS, "gb18030"),
        (HANS, "gb2312"),
        (MIXED, "gb18030"),
        (HANT, "utf-16"),
        (HANS, "utf-16-le"),
        (HANS, "utf-16-be"),
        (HANT, "utf-8"),
    ],
)
def test_chinese_that_says_nothing_about_itself_is_read_right(text: str, codec: str) -> None:
    """No header, no declaration, no warning: the bytes are enough."""
    assert decode(feed(text).encode(codec), "text/xml") == (feed(text), None)


@pytest.mark.parametrize("text", [HANT, HANS])
@pytest.mark.parametrize("length", [16, 24, 40, 80])
def test_a_headline_is_enough(text: str, length: int) -> None:
    """From sixteen characters on, wherever they are cut out."""
    for start in range(0, len(text) - length, 7):
        body = feed(text[start : start + length])
        assert decode(body.encode("gb18030"))[0] == body


@pytest.mark.parametrize(
    ("text", "codec", "declared", "header"),
    [
        (HANT, "big5hkscs", "gb2312", None),
        (HANS, "gb18030", "big5", None),
        (HANT, "big5hkscs", None, "text/xml; charset=ISO-8859-1"),
        (HANS, "gb18030", "iso-8859-1", None),
        (HANT, "big5hkscs", "utf-8", "text/xml; charset=utf-8"),
        (HANS, "gb18030", "us-ascii", None),
    ],
)
def test_a_wrong_label_is_seen_through(text: str, codec: str, declared: str | None, header: str | None) -> None:
    """Chinese under the name of the other Chinese, of a Western encoding or of UTF-8; and it is told."""
    body = feed(text, declared)
    found, warning = decode(body.encode(codec), header)
    assert found == body
    assert f"read as {codec}" in (warning or "")


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        ("L’élection à l’île, été comme hiver, où l’on vote déjà : « c’est démenti ». " * 5, "cp1252", "iso-8859-1"),
        ("選挙管理委員会は、投票時間についての誤った情報に注意を呼びかけています。" * 3, "cp932", "shift_jis"),
        (HANT, "big5hkscs", "big5"),
        (HANS, "gb18030", "gb2312"),
        (CANTONESE, "big5hkscs", "Big5-HKSCS"),
    ],
)
def test_a_right_label_is_believed(text: str, codec: str, declared: str) -> None:
    """Doubt does not reach what is labelled well, long or short."""
    for body in (feed(text, declared), feed(text[:9], declared)):
        assert decode(body.encode(codec)) == (body, None)


@pytest.mark.parametrize(("text", "codec"), [(HANT, "big5"), (HANS, "gb18030"), (HANT, "euc_jp")])
def test_a_declaration_comes_before_a_header_that_says_western(text: str, codec: str) -> None:
    """Servers say it of everything by default; any bytes are valid in it, so nothing would look wrong but the words."""
    for body in (feed(text, codec), feed(text[:9], codec)):
        data = body.encode(codec, "xmlcharrefreplace")
        assert decode(data, "text/xml; charset=ISO-8859-1") == (data.decode(codec), None)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("start", ["", "\n\n", " \r\n\t"])
def test_utf_16_is_known_by_its_first_character(codec: str, start: str) -> None:
    """Without a mark, behind white space, and JSON as well."""
    for text in (start + feed(HANT), start + f'{{"title": "{HANT}"}}'):
        assert decode(text.encode(codec), "text/xml") == (text, None)


def test_ascii_that_calls_itself_utf_16_is_ascii() -> None:
    """Half of the characters would be gone otherwise, and the rest would be Chinese."""
    body = feed("Polls close at 10:30 pm ", "utf-16")
    assert decode(body.encode("ascii"), "text/xml; charset=utf-16") == (body, None)


def test_what_is_no_text_is_refused_with_a_sentence() -> None:
    """Bytes that no encoding fits, or that break off inside a marked one."""
    with pytest.raises(UnicodeError, match="not utf-8"):
        decode(b"<rss>" + bytes(range(128, 256)) * 40 + b"\xff" * 400, "text/xml; charset=utf-8")
    with pytest.raises(UnicodeError, match="utf-16"):
        decode(feed(HANT).encode("utf-16")[:-1])


@pytest.mark.shared
def test_recorded_chinese_feeds_survive_another_encoding(shared: Path) -> None:
    """Every recorded feed with Chinese in it, written in Big5 and in GB18030 without a word about it."""
    tried = 0
    for path in sorted((shared / "feeds/real").iterdir()):
        text = re.sub(r"<\?xml[^>]*\?>", "", path.read_bytes().decode("utf-8", "ignore"), count=1).lstrip("\ufeff")
        han = len(re.findall("[\u4e00-\u9fff]", text))
        for codec in ("big5hkscs", "gb18030") if han > 20 else ():
            body = text.encode(codec, "xmlcharrefreplace")
            if body.count(b"&#") < han / 10:  # not the Simplified text that Big5 cannot hold
                assert decode(body) == (body.decode(codec), None), (os.fspath(path), codec)
                tried += 1
    assert tried >= 20
