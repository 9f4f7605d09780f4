"""Which characters a document holds. Headers and declarations are often wrong; bytes seldom lie. Pure."""

from __future__ import annotations

import codecs
import re

# Wider encodings that contain the declared one: what is called Big5 in Hong Kong is Big5-HKSCS, and so on.
_WIDER = {"big5": "big5hkscs", "gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}
# Text encodings to Python, yet no document is in them; punycode takes time quadratic in the length.
_NOT_OF_DOCUMENTS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
_MARKS = (
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_HIGH = re.compile(rb"[\x80-\xff]+")
FEW = 0.1  # up to this part of the characters beyond ASCII may be broken and the text still be worth reading


def decode(body: bytes, content_type: str | None = None) -> tuple[str, str | None]:
    """The text of an XML or HTML document, and a warning when it was not quite what it said it is.

    In order: a byte order mark; UTF-8 when the bytes are valid UTF-8 beyond ASCII, whatever is declared; the HTTP
    header; the XML declaration; either of them, or UTF-8, with a few broken characters; Windows-1252 when the
    bytes look Western. Raises UnicodeError with a sentence when none of these fits.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _strictly(body, name), None
    declared = _declared(body, content_type)
    if not body.isascii():
        try:
            return body.decode("utf-8-sig"), None
        except UnicodeDecodeError:
            pass
    for name in declared:
        try:
            return body.decode(name), None
        except UnicodeDecodeError:
            continue
    for name in dict.fromkeys([*declared, "utf-8"]):
        text = body.decode(name, "replace")
        broken, beyond_ascii = text.count("\ufffd"), len(text) - len(text.encode("ascii", "ignore"))
        if broken <= FEW * beyond_ascii:
            return text, f"{broken} broken characters in {name} text"
    said = " and ".join(declared) or "utf-8"
    if _looks_western(body):
        return body.decode("cp1252", "replace"), f"declared as {said}, read as windows-1252"
    raise UnicodeError(f"the text is not {said}, as it says it is")


def _strictly(body: bytes, name: str) -> str:
    try:
        return body.decode(name)
    except UnicodeDecodeError as error:
        raise UnicodeError(f"the text begins as {name} and is not: {error.reason} at byte {error.start}") from None


def _declared(body: bytes, content_type: str | None) -> list[str]:
    """What header and XML declaration say, as codecs that Python knows; UTF-8 when they say nothing."""
    names = []
    if content_type and (charset := _CHARSET.search(content_type)):
        names.append(charset.group(1))
    if declaration := _DECLARED.match(body[:1_000]):
        names.append(declaration.group(1).decode("ascii"))
    known = []
    for name in names or ["utf-8"]:
        try:
            codec = codecs.lookup(name)
        except LookupError:
            continue
        # Python also files hex and zip under codecs.
        if codec._is_text_encoding and codec.name not in _NOT_OF_DOCUMENTS:
            known.append(_WIDER.get(codec.name, codec.name))
    return list(dict.fromkeys(known))


def _looks_western(body: bytes) -> bool:
    """Accented letters and quotation marks stand in ones and twos; Chinese and Japanese high bytes come in runs."""
    runs = [len(run) for run in _HIGH.findall(body)]
    return sum(length for length in runs if length > 3) < 0.2 * sum(runs)
