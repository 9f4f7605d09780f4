"""OPML: lists of feeds, in and out.

Besides the usual attributes ours are ``outlet``, ``role``, ``lang`` and ``enabled``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from monitor.errors import BlockedAddressError, InputError
from monitor.guard import check_url
from monitor.text import clean, shorten
from monitor.types import Feed, Lang, Role

MAX_BYTES = 20_000_000

# Half of the lists in circulation paste addresses with `&` unescaped.
_ENABLED = {"true": True, "false": False}
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d+|#x[0-9A-Fa-f]+|[A-Za-z]+);)")


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed of a list; None where the list says nothing."""

    url: str
    outlet: str | None = None
    role: Role | None = None
    lang: Lang | None = None
    enabled: bool | None = None


def read(source: Path | bytes, name: str = "OPML") -> list[FeedLine]:
    """The feeds of an OPML document in its order, folders opened, each address once.

    The outlet is ``outlet``, else ``title``, else ``text``. Raises InputError naming the file (``name`` for bytes)
    and what is wrong with it.
    """
    where = name if isinstance(source, bytes) else str(source)
    body = source if isinstance(source, bytes) else _load(source)
    if len(body) > MAX_BYTES:
        raise InputError(where, f"larger than {MAX_BYTES:,} bytes; no list of feeds is")
    try:
        try:
            root = fromstring(body)
        except ParseError:
            root = fromstring(_BARE_AMPERSAND.sub(b"&amp;", body))
    except ParseError as error:
        raise InputError(where, f"not well-formed XML: {error}") from None
    except DefusedXmlException:
        raise InputError(where, "declares entities, which a list of feeds does not need") from None
    except (ValueError, LookupError) as error:
        raise InputError(where, f"cannot be read: {error}; save it as UTF-8") from None
    if root.tag.lower() != "opml":
        raise InputError(where, f"not OPML: the document is <{shorten(clean(root.tag), 40)}>")
    lines: dict[str, FeedLine] = {}
    for outline in root.iter("outline"):
        attributes = {key.lower(): clean(value) for key, value in outline.attrib.items()}
        if url := attributes.get("xmlurl"):
            lines.setdefault(url, _line(url, attributes, where))
    return list(lines.values())


def write(feeds: Iterable[Feed]) -> str:
    """An OPML 2.0 document that ``read`` gives back as it was."""
    lines = []
    for feed in feeds:
        attributes = {
            "type": "rss",
            "text": feed.outlet,
            "xmlUrl": feed.url,
            "outlet": feed.outlet,
            "role": feed.role,
            **({"lang": feed.lang} if feed.lang else {}),
            "enabled": "true" if feed.enabled else "false",
        }
        lines.append("    <outline " + " ".join(f'{k}="{html.escape(clean(v))}"' for k, v in attributes.items()) + "/>")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head><title>pollwatch feeds</title></head>'
    return "\n".join([head, "  <body>", *lines, "  </body>", "</opml>", ""])


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None


def _line(url: str, attributes: Mapping[str, str], where: str) -> FeedLine:
    try:
        check_url(url)
        return FeedLine(
            url=url,
            outlet=attributes.get("outlet") or attributes.get("title") or attributes.get("text") or None,
            role=Role(attributes["role"]) if attributes.get("role") else None,
            lang=Lang(attributes["lang"]) if attributes.get("lang") else None,
            enabled=_ENABLED[attributes["enabled"].lower()] if attributes.get("enabled") else None,
        )
    except BlockedAddressError as error:
        raise InputError(where, f"xmlUrl {error.url}: {error.detail}") from None
    except KeyError:
        raise InputError(where, f"{shorten(url, 200)}: enabled is true or false") from None
    except ValueError as error:  # Role and Lang name the word they do not know
        known = ", ".join([*Role, *Lang])
        raise InputError(where, f"{shorten(url, 200)}: {error}; role and lang are among {known}") from None
