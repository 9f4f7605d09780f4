"""What the headers of an answer say. Pure; all of it was written by strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from monitor.text import clean
from monitor.types import Headers

MAX_HEADER = 1_000  # characters of a validator; a longer one is not kept
MAX_DIGITS = 9  # of a Retry-After: thirty years, more than anybody is granted
PRINTABLE = re.compile(r"[\x20-\x7e]+")

_RAW = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as aiohttp gives them
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})(?!\d)", re.ASCII)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks to wait, from its two forms: ``120`` and an HTTP date."""
    if not header:
        return None
    if re.fullmatch(r"\d+", header.strip(), re.ASCII):
        return float(header.strip()[:MAX_DIGITS])
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def fresh_s(cache_control: str | None, age: str | None) -> float | None:
    """Seconds for which an answer stays fresh (RFC 9111, 4.2): ``max-age`` less the ``Age`` it has already."""
    given = (cache_control or "").lower()
    lifetime = _MAX_AGE.search(given)
    if lifetime is None or "no-cache" in given or "no-store" in given:
        return None
    spent = int(age) if age and re.fullmatch(r"\d{1,9}", age.strip(), re.ASCII) else 0
    return max(0.0, float(lifetime[1]) - spent)


def validator(header: str | None) -> str | None:
    """A header worth keeping: validators are sent back byte for byte or not at all."""
    if not header or len(header) > MAX_HEADER or not header.isprintable():
        return None
    return header


def destination(location: str | None) -> str:
    """Where a Location header leads, relative or not, on one line; bytes that are not UTF-8 are quoted as they are."""
    quoted = _RAW.sub(lambda raw: f"%{ord(raw[0]) - 0xDC00:02X}", location or "")
    return clean(quoted).replace(" ", "%20")


def as_came(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """All of them as they came, but for characters that could end a line of a record."""
    return tuple((plain(name.decode("latin-1")), plain(value.decode("latin-1"))) for name, value in headers)


def plain(text: str) -> str:
    """With a space for each control character."""
    return _CONTROLS.sub(" ", text)
