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
)
# Without a mark, by its first character that is no white space.
_WIDE = (
    (re.compile(rb"(?:\0[\t\n\r ])*+\0[<{]"), "utf-16-be"),
    (re.compile(rb"(?:[\t\n\r ]\0)*+[<{]\0"), "utf-16-le"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_HIGH = re.compile(rb"[\x80-\xff]+")
# What feeds without a word about it are written in. A short list: with all that Python knows, Chinese becomes Baltic.
_GUESSED = ["big5hkscs", "gb18030", "cp932", "euc_jp", "cp949", "cp1252", "cp1251"]
_CHINESE = frozenset({"big5hkscs", "gb18030"})
_DOUBTED = _CHINESE | {"cp1252"}  # nearly any bytes are valid in these, so a wrong label does not show
SURE = 100  # bytes beyond ASCII from which a guess outweighs a label
FEW = 0.1  # up to this part of the characters beyond ASCII may be broken and the text still be worth reading


def decode(body: bytes, content_type: str | None = None) -> tuple[str, str | None]:
    """See ``decode_to_utf8``: the text and the warning."""
    text, warning, _ = _decoded(body, content_type)
    return text, warning


def decode_to_utf8(body: bytes, content_type: str | None = None) -> tuple[str, bytes, str | None]:
    """The text of an XML or HTML document, the same in UTF-8, and a warning when it was not what it said it is.

    In order: a byte order mark, or UTF-16 without one; UTF-8 when the bytes are valid UTF-8 beyond ASCII, whatever is
    declared; the HTTP header; the XML declaration (before a header that says Western; neither is believed when it says
    Western or the wrong Chinese, and the bytes are clearly Big5 or GB18030); either of them, or UTF-8, with a few
    broken characters; what the bytes look like.
    Raises UnicodeError with a sentence when none of these fits.
    """
    text, warning, is_utf8 = _decoded(body, content_type)
    return text, body if is_utf8 else text.encode("utf-8", "replace"), warning


def _decoded(body: bytes, content_type: str | None) -> tuple[str, str | None, bool]:
    """The text, a warning, and whether the body is that text in UTF-8, byte for byte (True where that is known)."""
    if marked := _marked(body):
        return _strictly(body, marked), None, False
    declared = _declared(body, content_type)
    if not (declared and body.isascii()):
        try:
            return body.decode("utf-8-sig"), None, not body.startswith(codecs.BOM_UTF8)
        except UnicodeDecodeError:
            pass
    said = " and ".join(declared) or "utf-8"
    better = _chinese_after_all(body) if _DOUBTED.intersection(declared) else None
    if better and better not in declared:
        return body.decode(better), f"declared as {said}, read as {better}", False
    for name in declared:
        try:
            return body.decode(name), None, False
        except UnicodeDecodeError:
            continue
    for name in dict.fromkeys([*declared, "utf-8"]):
        text = body.decode(name, "replace")
        broken, beyond_ascii = text.count("\ufffd"), len(text) - len(text.encode("ascii", "ignore"))
        if broken <= FEW * beyond_ascii:
            return text, f"{broken} broken characters in {name} text", False
    guess = "windows-1252" if _looks_western(body) else _guess(body)
    if guess:
        return body.decode(guess, "replace"), f"declared as {said}, read as {guess}" if declared else None, False
    raise UnicodeError(f"the text is not {said}, as it says it is")


def _marked(body: bytes) -> str | None:
    """What the first bytes say, be it a mark or a character that cannot be anything else."""
    marks = (name for mark, name in _MARKS if body.startswith(mark))
    return next(marks, None) or next((name for beginning, name in _WIDE if beginning.match(body)), None)


def _strictly(body: bytes, name: str) -> str:
    try:
        return body.decode(name)
    except UnicodeDecodeError as error:
        raise UnicodeError(f"the text begins as {name} and is not: {error.reason} at byte {error.start}") from None


def _declared(body: bytes, content_type: str | None) -> list[str]:
    """What header and XML declaration say, as codecs that Python knows; nothing that begins with ASCII is UTF-16."""
    names = []
    if content_type and (charset := _CHARSET.search(content_type)):
        names.append(charset.group(1))
    if declaration := _DECLARED.match(body[:1_000]):
        names.append(declaration.group(1).decode("ascii"))
    known = []
    for name in names:
        try:
            codec = codecs.lookup(name)
        except LookupError:
            continue
        # Python also files hex and zip under codecs.
        wide = codec.name.startswith(("utf-16", "utf-32")) and b"\0" not in body[:1_000]
        if codec._is_text_encoding and codec.name not in _NOT_OF_DOCUMENTS and not wide:
            known.append(_WIDER.get(codec.name, codec.name))
    # Western is what servers say of everything unless they are told better, and any bytes are valid in it.
    return sorted(dict.fromkeys(known), key=lambda name: name == "cp1252")


def _guess(body: bytes) -> str | None:
    """The encoding that gives the least disorder (charset-normalizer, on five samples of the document)."""
    import charset_normalizer  # here, because few documents need it, and every parser would wait for it

    best = charset_normalizer.from_bytes(
        body, cp_isolation=_GUESSED, preemptive_behaviour=False, enable_fallback=False
    ).best()
    return best.encoding if best else None


def _chinese_after_all(body: bytes) -> str | None:
    """Big5 or GB18030, when there is enough text to be sure of it and it is valid throughout."""
    if sum(map(len, _HIGH.findall(body[:200_000]))) < SURE or _looks_western(body[:200_000]):
        return None
    guess = _guess(body)
    return guess if guess in _CHINESE else None


def _looks_western(body: bytes) -> bool:
    """Accented letters and quotation marks stand in ones and twos; Chinese and Japanese high bytes come in runs."""
    runs = [len(run) for run in _HIGH.findall(body)]
    return sum(length for length in runs if length > 3) < 0.2 * sum(runs)
