"""Labelled texts to learn from: the seeds that ship with the program, and rows that a team adds. Checked on reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from classifiers.mask import Mask
from monitor import seeds
from monitor.errors import InputError
from monitor.reference import seed_candidates
from monitor.text import detect_lang
from monitor.types import ClaimType, Label, Lang, Stance

E = TypeVar("E", bound=StrEnum)

SEED_FILE = "examples.jsonl"
SEED_KEYS = ("text", "lang", "label", "stance", "claim_type", "source", "passage", "note")

# What is said in someone else's name, or to get at someone's money; every other claim type is false information.
IMPERSONATION_TYPES = frozenset(
    {
        ClaimType.IMPERSONATION_CANDIDATE,
        ClaimType.IMPERSONATION_AUTHORITY,
        ClaimType.IMPERSONATION_MEDIA,
        ClaimType.SCAM_LURE,
        ClaimType.INTIMATE_IMAGE_EXTORTION,
    }
)


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text. ``stance`` and ``claim_type`` are None when nobody said.

    A model learns from texts whose names are masked: what brings an example to ``model.fit`` masks it.
    """

    text: str
    label: Label
    lang: Lang
    stance: Stance | None = None
    claim_type: ClaimType | None = None

    @property
    def suspicious(self) -> bool:
        """Whether the text spreads a falsehood or poses as someone."""
        return self.label is not Label.GENUINE


def seed_examples() -> list[Example]:
    """The examples that ship with the program, the names of their cast masked.

    Raises InputError when the file was damaged.
    """
    mask = Mask(seed_candidates())
    examples = (
        read_example(row, f"{SEED_FILE}, line {number}", keys=SEED_KEYS)
        for number, row in enumerate(seeds.json_lines(SEED_FILE), 1)
    )
    return [replace(example, text=mask(example.text)) for example in examples]


def read_file(path: Path) -> list[Example]:
    """Labelled rows of a JSON Lines file: ``text, label`` and, where known, ``lang, stance, claim_type``.

    Raises InputError naming the line.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [read_example(row, where) for where, row in parse_lines(file, str(path))]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read as UTF-8 text: {error}") from error


def parse_lines(lines: Iterable[str], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each JSON object of JSON Lines with the words that name its line; blank lines are skipped.

    Raises InputError for a line that is not a JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise InputError(where, f"not JSON: {error}") from None
        if "\\ud" in line.lower() and _has_lone_surrogate(json.dumps(row, ensure_ascii=False)):
            raise InputError(where, "not text: half of a surrogate pair (\\ud800 to \\udfff) stands alone")
        if not isinstance(row, dict):
            raise InputError(where, 'not a JSON object; a row looks like {"text": "..."}')
        yield where, row


def read_example(row: Mapping[str, Any], where: str, keys: Sequence[str] | None = None) -> Example:
    """One example out of a JSON object; ``keys`` are those it must have, no more. Raises InputError."""
    if keys is not None and set(row) != set(keys):
        raise InputError(where, f"the keys must be {', '.join(keys)}")
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise InputError(where, "`text` must be a text that is not empty")
    label = read_word(row, "label", Label, where)
    if label is None:
        raise InputError(where, "`label` is missing")
    return Example(
        text=text,
        label=label,
        lang=read_word(row, "lang", Lang, where) or detect_lang(text),
        stance=read_word(row, "stance", Stance, where),
        claim_type=read_word(row, "claim_type", ClaimType, where),
    )


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def read_word(row: Mapping[str, Any], key: str, words: type[E], where: str) -> E | None:
    """A key that holds one of a few words, or nothing. Raises InputError."""
    value = row.get(key)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        raise InputError(where, f"`{key}` must be one of {', '.join(words)}") from None
