"""Counts and shares as texts write them: digits, English words, Chinese numerals, 萬 and 億, per cent and 成. Pure."""

from __future__ import annotations

import re

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
# As banks and ballot papers write them: 壹貳叁. 參 for three is left out, for it begins 參選.
_DIGITS |= {char: value for value, char in enumerate("壹贰叁肆伍陆柒捌玖", start=1)}
_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_SCORES = {"廿": 20, "卅": 30, "卌": 40}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_UP_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ENGLISH = {word: value for value, word in enumerate(_UP_TO_TWENTY.split())} | _TENS
_MAGNITUDES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "m": 1_000_000, "k": 1000} | _UNITS | _MYRIADS

_HAN = _DIGITS.keys() | _UNITS.keys() | _SCORES.keys() | _MYRIADS.keys()

HAN_NUMBER = "[零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟廿卅卌]"
_WORD = rf"(?:{'|'.join(_ENGLISH)})(?:[- ](?:{'|'.join(list(_ENGLISH)[1:10])})(?![a-z]))?"
_TIMES = r"(?: ?(?:(?:hundred|thousand|million)\b|[mk]\b|[百千万亿]))*+"
COUNT = (
    rf"(?:\d[\d,]*+(?:\.\d++)?(?:[千万亿]{{1,2}}\d++)*+{_TIMES}"
    rf"|{HAN_NUMBER}++"
    rf"|\b{_WORD}(?![a-z]){_TIMES})"
)
_LARGEST = 10**12  # what is said of an election is smaller; beyond it stand telephone numbers and mischief
_LONGEST_NUMBER = 40  # characters
_HEAD_AND_TIMES = re.compile(r"(\d[\d,]*(?:\.\d+)?|[a-z]+(?:[- ][a-z]+)??)((?: ?(?:hundred|thousand|million|m|k))*)")
_MIXED = re.compile(r"\d[\d,]*(?:\.\d+)? ?[百千万亿]+(?:\d+[百千万亿]*)*")
_MIXED_PART = re.compile(r"(\d[\d,]*(?:\.\d+)?) ?([百千万亿]*)")

SHARE = (
    rf"(?:\d{{1,4}}(?:\.\d{{1,4}})? ?(?:%|per ?cent\b|巴仙)|\b{_WORD} per ?cent\b|{HAN_NUMBER}{{1,6}}巴仙"
    rf"|百分之(?:\d{{1,4}}(?:\.\d{{1,4}})?|{HAN_NUMBER}{{1,6}}(?:点{HAN_NUMBER}{{1,4}})?)"
    rf"|(?:\d{{1,2}}|十[一二]?|[一二两三四五六七八九])成(?:半|[一二三四五六七八九])?)"
)


def number(words: str) -> int | None:
    """The value of a folded number: ``912,346``, ``1.2 million``, ``120万``, ``1亿2000万``, ``九十一万二千``, ``five``.

    None when it is no number, or one above a million million.
    """
    words = words.strip()
    if len(words) > _LONGEST_NUMBER:
        return None
    value = _value(words)
    return value if value is not None and value <= _LARGEST else None


def share(words: str) -> float | None:
    """The value in per cent of a folded share: ``62.3%``, ``sixty per cent``, ``百分之六十二点三``, ``六成半``.

    None when it is none.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:%|per ?cent|巴仙)", words):
        return float(found[1])
    if found := re.fullmatch(r"([a-z -]+?) per ?cent", words):
        value = number(found[1])
        return None if value is None else float(value)
    if found := re.fullmatch(r"(\d{1,2}|十[一二]?|[一二两三四五六七八九])成(半|[一二三四五六七八九])?", words):
        tenths = number(found[1]) or 0
        return tenths * 10 + (5 if found[2] == "半" else number(found[2] or "0") or 0)
    if found := re.fullmatch(r"百分之(\d+(?:\.\d+)?)", words):
        return float(found[1])
    if found := re.fullmatch(rf"({HAN_NUMBER}+)巴仙", words):
        words = f"百分之{found[1]}"
    if found := re.fullmatch(rf"百分之({HAN_NUMBER}+)(?:点({HAN_NUMBER}+))?", words):
        whole, decimals = number(found[1]), "".join(str(_DIGITS.get(char, "")) for char in found[2] or "")
        return None if whole is None else float(f"{whole}.{decimals or 0}")
    return None


def _value(words: str) -> int | None:
    if words and all(char in _HAN for char in words):
        return _han_number(words)
    if _MIXED.fullmatch(words):
        return _mixed(words)
    found = _HEAD_AND_TIMES.fullmatch(words)
    if found is None:
        return None
    head = found[1].replace(",", "")
    value = float(head) if head[0].isdigit() else _english(head)
    if value is None:
        return None
    for magnitude in re.findall(r"hundred|thousand|million|m|k", found[2]):
        value *= _MAGNITUDES[magnitude]
    return round(value)


def _english(words: str) -> float | None:
    """``five``, ``sixty``, ``sixty-two``."""
    tens, _, ones = words.replace("-", " ").partition(" ")
    if not ones:
        return _ENGLISH.get(tens)
    return _TENS[tens] + _ENGLISH[ones] if tens in _TENS and 0 < _ENGLISH.get(ones, 0) < 10 else None


def _mixed(words: str) -> int:
    """Digits with 萬 and 億 between them: ``1亿2000万``, ``12万3千``."""
    total = 0.0
    for digits, magnitudes in _MIXED_PART.findall(words):
        value = float(digits.replace(",", ""))
        for char in magnitudes:
            value *= _MAGNITUDES[char]
        total += value
    return round(total)


def _han_number(words: str) -> int:
    if all(char in _DIGITS for char in words):  # digit by digit: 二〇二七
        return int("".join(str(_DIGITS[char]) for char in words))
    total = section = digit = 0
    for char in words:
        if char == "亿":
            total, section, digit = (total + section + digit) * _MYRIADS[char], 0, 0
        elif char == "万":
            total, section, digit = total + (section + digit) * _MYRIADS[char], 0, 0
        elif char in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[char], 0
        elif char in _SCORES:
            section, digit = section + _SCORES[char], 0
        else:
            digit = _DIGITS[char]
    return total + section + digit
