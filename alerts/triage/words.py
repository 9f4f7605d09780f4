"""The desk's own words in the language of whoever sits at it."""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

from monitor.types import Lang

LANGUAGES = (Lang.EN, Lang.HANT)
_FOLDER = Path(__file__).parent / "locale"


class _Spoken:
    """The language in use: one for the whole program, which has one screen."""

    lang = Lang.EN


def use(lang: Lang) -> None:
    """Speak this language from now on."""
    _Spoken.lang = lang


def used() -> Lang:
    """The language that is spoken now."""
    return _Spoken.lang


def from_environment() -> Lang:
    """Chinese where the locale is Chinese, else English."""
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    spoken = next((name for name in names if name), "")
    return Lang.HANT if spoken.lower().startswith("zh") else Lang.EN


def _(message: str) -> str:
    """A sentence of the desk in the language in use."""
    return _catalogue(_Spoken.lang).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The same, for a count."""
    return _catalogue(_Spoken.lang).ngettext(one, many, count)


@cache
def _catalogue(lang: Lang) -> gettext.NullTranslations:
    if lang is Lang.EN:
        return gettext.NullTranslations()
    return gettext.translation("pollwatch-desk", _FOLDER, [lang.replace("-", "_")])
