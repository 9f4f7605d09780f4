"""The desk's own words: every one has its translation, and what is installed is what was written."""

from __future__ import annotations

import io
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from alerts import triage
from alerts.triage import words
from monitor.types import Lang

SOURCES = Path(next(iter(triage.__path__)))
CATALOGUE = SOURCES / "locale" / "zh_Hant" / "LC_MESSAGES" / "pollwatch-desk.po"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}


def _messages() -> list[Message]:
    with CATALOGUE.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_marked_sentence_is_translated() -> None:
    """None is missing, none is left over, none is fuzzy or empty."""
    marked = {found[2] for found in extract_from_dir(SOURCES, [("**.py", "python")], keywords=KEYWORDS)}
    written = {message.id for message in _messages()}
    assert marked == written
    for message in _messages():
        assert not message.fuzzy
        assert all(message.string if isinstance(message.string, tuple) else (message.string,)), message.id


def test_translations_have_the_same_places_to_fill() -> None:
    """A placeholder that is lost or misspelt would end an act with a KeyError."""
    for message in _messages():
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        translations = message.string if isinstance(message.string, tuple) else (message.string,)
        for translation in translations:
            assert _fields(translation) == _fields(originals[0]), message.id


def test_the_compiled_catalogue_is_that_of_the_sources() -> None:
    """`.mo` files are made by hand, with `pybabel compile`."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    assert CATALOGUE.with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({}, Lang.EN),
        ({"LANG": "zh_HK.UTF-8"}, Lang.HANT),
        ({"LANG": "zh_HK.UTF-8", "LC_ALL": "C"}, Lang.EN),
        ({"LANG": "C", "LC_MESSAGES": "zh_TW"}, Lang.HANT),
    ],
)
def test_the_locale_chooses_the_language(
    environment: dict[str, str], lang: Lang, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As POSIX orders its variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words.from_environment() is lang
