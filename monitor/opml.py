"""OPML: lists of feeds, in and out.

Besides the usual attributes ours are ``outlet``, ``role``, ``lang`` and ``enabled``. Outlines without an address are
folders; a feed keeps the names of those it lies in, outermost first, with a slash between them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from monitor.errors import BlockedAddressError, InputError
from monitor.guard import check_port, check_url
from monitor.text import clean, shorten
from monitor.types import Feed, Lang, Role

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # the type only; defusedxml makes them

MAX_BYTES = 5_000_000
MAX_DEPTH = 8  # folders inside each other; the deeper ones are left out
MAX_FOLDER = 80  # characters of one folder's name
MAX_FAULTS = 10  # that are told of one list

_ENABLED = {"true": True, "false": False}
# feed://a.example/rss and feed:https://a.example/rss, as some programs export them
_FEED_SCHEME = re.compile(r"^feed:(?://)?(?=https?:)|^feed(?=://)", re.IGNORECASE)
# Half of the lists in circulation paste addresses with `&` unescaped.
_BARE_AMPERSAND = re.compile(rb"&(?!(?:#\d+|#x[0-9A-Fa-f]+|[A-Za-z]+);)")


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed of a list; None where the list says nothing."""

    url: str
    outlet: str | None = None
    role: Role | None = None
    lang: Lang | None = None
    enabled: bool | None = None
    folder: str | None = None


class _FaultError(Exception):
    """What is wrong with one line of a list."""


def read(source: Path | bytes, name: str = "OPML", allow_ports: Container[int] = ()) -> list[FeedLine]:
    """The feeds of an OPML document in its order, each address once, with the folder it stands in first.

    The outlet is ``outlet``, else ``title``, else ``text``. Raises InputError naming the file (``name`` for bytes)
    and what is wrong with it: of a document that can be read, with which of its feeds, the first MAX_FAULTS of them.
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
    faults: list[str] = []
    todo: list[tuple[Element, tuple[str, ...]]] = [(root, ())]  # no recursion: a hostile list has no bottom
    while todo:
        element, folders = todo.pop()
        attributes = {key.lower(): clean(value) for key, value in element.attrib.items()}
        if element.tag == "outline" and (url := attributes.get("xmlurl")):
            url = without_feed_scheme(url)
            try:
                lines.setdefault(url, _line(url, attributes, folders, allow_ports))
            except _FaultError as fault:
                faults.append(str(fault))
        elif element.tag == "outline" and len(folders) < MAX_DEPTH:
            name = attributes.get("text") or attributes.get("title") or ""
            folders = (*folders, name.replace("/", "／"))
        todo += [(child, folders) for child in reversed(element)]
    if faults:
        untold = [f"and {len(faults) - MAX_FAULTS:,} more"] if len(faults) > MAX_FAULTS else []
        raise InputError(where, "; ".join([*faults[:MAX_FAULTS], *untold]))
    return list(lines.values())


def folder_path(names: Iterable[str]) -> str | None:
    """The folder of a feed as it is stored: names, outermost first, with a slash between them; None without any."""
    kept = [shorten(name, MAX_FOLDER) for name in map(clean, names) if name]
    return "/".join(kept[:MAX_DEPTH]) or None


def write(feeds: Iterable[Feed]) -> str:
    """An OPML 2.0 document that ``read`` gives back as it was, a folder's feeds after those beside it."""
    body = _Folder()
    for feed in feeds:
        place = body
        for name in feed.folder.split("/") if feed.folder else ():
            place = place.folders.setdefault(name, _Folder())
        place.feeds.append(feed)
    lines = _outlines(body, "    ")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head><title>pollwatch feeds</title></head>'
    return "\n".join([head, "  <body>", *lines, "  </body>", "</opml>", ""])


@dataclass(slots=True)
class _Folder:
    feeds: list[Feed] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)


def _outlines(folder: _Folder, indent: str) -> Iterator[str]:
    for feed in folder.feeds:
        attributes = {
            "type": "rss",
            "text": feed.outlet,
            "xmlUrl": feed.url,
            "outlet": feed.outlet,
            "role": feed.role,
            **({"lang": feed.lang} if feed.lang else {}),
            "enabled": "true" if feed.enabled else "false",
        }
        yield f"{indent}<outline " + " ".join(f'{k}="{html.escape(clean(v))}"' for k, v in attributes.items()) + "/>"
    for name, inside in folder.folders.items():
        yield f'{indent}<outline text="{html.escape(clean(name))}">'
        yield from _outlines(inside, indent + "  ")
        yield f"{indent}</outline>"


def without_feed_scheme(url: str) -> str:
    """An address that says what it leads to, as programs and buttons write it, as the one that is meant.

    >>> without_feed_scheme("feed:https://a.example/rss"), without_feed_scheme("feed://a.example/rss")
    ('https://a.example/rss', 'http://a.example/rss')
    """
    return _FEED_SCHEME.sub(lambda scheme: "" if ":" in scheme[0] else "http", url)


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None


def _line(url: str, attributes: Mapping[str, str], folders: Sequence[str], allow_ports: Container[int]) -> FeedLine:
    try:
        check_port(check_url(url), allow_ports)
        return FeedLine(
            url=url,
            outlet=attributes.get("outlet") or attributes.get("title") or attributes.get("text") or None,
            role=Role(attributes["role"]) if attributes.get("role") else None,
            lang=Lang(attributes["lang"]) if attributes.get("lang") else None,
            enabled=_ENABLED[attributes["enabled"].lower()] if attributes.get("enabled") else None,
            folder=folder_path(folders),
        )
    except BlockedAddressError as error:
        raise _FaultError(f"xmlUrl {shorten(error.url, 200)}: {error.detail}") from None
    except KeyError:
        raise _FaultError(f"{shorten(url, 200)}: enabled is true or false") from None
    except ValueError as error:  # Role and Lang name the word they do not know
        known = ", ".join([*Role, *Lang])
        raise _FaultError(f"{shorten(url, 200)}: {error}; role and lang are among {known}") from None
