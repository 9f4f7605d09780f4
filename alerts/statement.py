"""The text of a clarification as people edit it: a plain file with sections, which reads back as it was written. Pure.

A section begins with a line such as ``[en title]``. Lines that begin with ``#`` are notes for the editor. A line of a
text that would be taken for something else (``#``, ``[``, ``source:``, ``link:``) stands with a ``\\`` before it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from monitor.errors import InputError
from monitor.text import clean
from monitor.types import LANGS, Fact, Lang, Statement, Texts, languages_of

LONGEST = 20_000  # characters of a file: a page that nobody would read
_FACT = "fact"
_PARTS = ("title", _FACT, "claim", "advice", "contact", "change")
_ONE_LINE = ("title",)
_HEAD = re.compile(r"\[clarification (\d{1,18}), revision (\d{1,9})\]")
_SECTIONS = {f"[{lang} {part}]": (lang, part) for lang in LANGS for part in _PARTS}
_KEY = re.compile(r"(source|link)\s*[:：]\s*(.*)", re.IGNORECASE)
_MEANT = re.compile(r"[\\#\[]|(?:source|link)\s*[:：]", re.IGNORECASE)  # begins a line that needs a backslash


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edited file says: of which clarification and revision it is, and the texts."""

    clarification_id: int
    revision: int
    texts: Texts


def write(
    clarification_id: int, revision: int, texts: Texts, *, changed: bool = False, notes: Sequence[str] = ()
) -> str:
    """The file to edit; ``parse`` reads the same texts from it. ``changed``: they are to replace what is public."""
    lines = [*(f"# {clean(note)}".rstrip() for note in notes)]
    lines += [f"[clarification {clarification_id}, revision {revision}]"]
    for lang in languages_of(texts):
        statement = texts[lang]
        for part in _PARTS:
            if part == "change" and not (changed or statement.change):
                continue
            for value in _values(statement, part):
                lines += ["", f"[{lang} {part}]", *value]
    return "\n".join(lines) + "\n"


def parse(text: str, name: str, langs: Sequence[Lang] = LANGS) -> Edited:
    """Read an edited file in these languages; ``name`` is what errors call it. What is left out is empty.

    Raises InputError that names the line.
    """
    if len(text) > LONGEST:
        raise InputError(name, f"holds {len(text)} characters; a clarification may have {LONGEST}")
    head: tuple[int, int] | None = None
    texts = dict.fromkeys(langs, Statement())
    given: dict[str, int] = {}
    for number, header, lines in _sections(text, name):
        where = f"{name}: line {number}"
        if match := _HEAD.fullmatch(header):
            if head is not None:
                raise InputError(where, "a second line [clarification …]; keep the first alone")
            head = int(match[1]), int(match[2])
            if any(line for _, line in lines):
                raise InputError(where, "text before the first section; begin one, such as [en title]")
            continue
        lang, part = _section(header, where)
        if lang not in texts:
            raise InputError(where, f"this clarification is not written in {lang}")
        if header in given and part != _FACT:
            raise InputError(where, f"{header} stands in line {given[header]} already")
        given[header] = number
        texts[lang] = _with(texts[lang], part, lines, name)
    if head is None:
        raise InputError(name, "the line [clarification …, revision …] is missing; `clarifications show` prints it")
    return Edited(*head, texts)


def missing(texts: Texts, *, changed: bool) -> list[str]:
    """A sentence for each thing without which the texts must not be published; ``changed``: they replace others."""
    wanted = ("title", "claim", "advice", "contact", *(["change"] if changed else []))
    langs = languages_of(texts)
    faults = [f"[{lang} {part}] is empty" for lang in langs for part in wanted if not getattr(texts[lang], part)]
    for lang in langs:
        facts = texts[lang].facts
        if not facts:
            faults.append(f"[{lang} fact] is missing: facts come first, at least one")
        for number, fact in enumerate(facts, 1):
            faults += [] if fact.text else [f"[{lang} fact] {number} is empty"]
            faults += [] if fact.source else [f"[{lang} fact] {number} has no line `source: …`"]
    counts = {len(texts[lang].facts) for lang in langs}
    return faults if len(counts) == 1 else [*faults, "the two languages do not have the same number of facts"]


def tidied(texts: Texts) -> Texts:
    """The texts as a file that is written and read back would hold them: what nobody sees is gone."""
    return parse(write(1, 1, texts), "draft", languages_of(texts)).texts


def _values(statement: Statement, part: str) -> Iterator[list[str]]:
    """The lines of each section for one part of a statement."""
    if part != _FACT:
        yield _escaped(getattr(statement, part))
        return
    for fact in statement.facts or (Fact(""),):
        link = [f"link: {fact.link}"] if fact.link else []
        yield [*_escaped(fact.text), f"source: {clean(fact.source)}".rstrip(), *link]


def _escaped(text: str) -> list[str]:
    lines = [clean(line) for line in text.split("\n")]
    return [f"\\{line}" if _MEANT.match(line) else line for line in lines] if any(lines) else []


def _sections(text: str, name: str) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
    """Number and words of each header, and the numbered lines below it, escapes still in them."""
    current: tuple[int, str, list[tuple[int, str]]] | None = None
    for number, raw in enumerate(text.replace("\r\n", "\n").removeprefix("\ufeff").split("\n"), 1):
        line = clean(raw)
        if line.startswith("#"):
            continue
        if line.startswith("["):
            if current is not None:
                yield current
            current = number, line, []
        elif current is not None:
            current[2].append((number, line))
        elif line:
            raise InputError(f"{name}: line {number}", "text before the line [clarification …, revision …]")
    if current is not None:
        yield current


def _section(header: str, where: str) -> tuple[Lang, str]:
    if header in _SECTIONS:
        return _SECTIONS[header]
    near = difflib.get_close_matches(header[:40], _SECTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else "sections are such as [en title] and [zh-Hant fact]"
    raise InputError(where, f"no such section; {hint} A line of text that begins with [ is written \\[")


def _with(statement: Statement, part: str, lines: Sequence[tuple[int, str]], name: str) -> Statement:
    if part == _FACT:
        fact = _fact(lines, name)
        return replace(statement, facts=(*statement.facts, fact)) if fact != Fact("") else statement
    text = _joined(line for _, line in lines)
    if part in _ONE_LINE and "\n" in text:
        second = [number for number, line in lines if line][1]
        raise InputError(f"{name}: line {second}", f"a {part} is one line")
    changed: Mapping[str, str] = {part: text}
    return replace(statement, **changed)  # type: ignore[arg-type]  # every part but `fact` is a text


def _fact(lines: Sequence[tuple[int, str]], name: str) -> Fact:
    keys: dict[str, str] = {}
    text: list[str] = []
    for number, line in lines:
        match = _KEY.fullmatch(line)
        if match is None:
            text.append(line)
            continue
        key, value = match[1].lower(), match[2]
        where = f"{name}: line {number}"
        if key in keys:
            raise InputError(where, f"a second line `{key}:` of one fact; begin another [… fact]")
        if key == "link" and value and not is_link(value):
            raise InputError(where, "no web address; write it as https://office.example/notice")
        keys[key] = value
    return Fact(_joined(text), keys.get("source", ""), keys.get("link", ""))


def is_link(text: str) -> bool:
    """Whether a text is an address that a reader may be sent to: http(s), a host, no password, nothing but ASCII."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and not any(char in text for char in " <>\"'\\`")
    return plain and parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


def _joined(lines: Iterator[str] | Sequence[str]) -> str:
    """The text without its escapes, empty lines at its ends and several of them in a row."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.removeprefix("\\") for line in lines).strip("\n"))
