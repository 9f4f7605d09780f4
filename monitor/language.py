"""The language in which people read screens, sentences and the names of codes: English or Traditional Chinese.

What machines read (JSON, the audit, the store) is English whatever the language. Marked strings, ``_("…")``,
``ngettext("…", "…", n)`` and ``Said("…")``, are looked up in ``locale/zh_Hant/LC_MESSAGES``; what is not there, a
sentence that an earlier program wrote in other words among it, is shown in English.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from monitor.types import Lang, Said
from monitor.types.said import in_english

LANGUAGES = (Lang.EN, Lang.HANT)
CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "pollwatch"
_VARIABLES = ("POLLWATCH_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that says something counts


@dataclass
class _Chosen:
    lang: Lang = Lang.EN


_chosen = _Chosen()  # one for the process: a key of the desk changes it for every part of the screen at once
_spoken: ContextVar[Lang | None] = ContextVar("spoken", default=None)  # for one page or mail, see speaking


def use(lang: str) -> None:
    """From now on people are spoken to in ``lang``: ``en`` or ``zh-Hant``. Raises ValueError for another."""
    chosen = Lang(lang)
    if chosen not in LANGUAGES:
        raise ValueError(f"no interface in {lang}")
    _chosen.lang = chosen


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Speak ``lang`` to one reader: in this thread or task, until the block ends. Raises ValueError as `use` does.

    A page or a mail is made so, whatever the process speaks and whatever another thread makes meanwhile.
    """
    chosen = Lang(lang)
    if chosen not in LANGUAGES:
        raise ValueError(f"no interface in {lang}")
    before = _spoken.set(chosen)
    try:
        yield
    finally:
        _spoken.reset(before)


def used() -> Lang:
    """The language in use."""
    return _spoken.get() or _chosen.lang


def wanted(environment: Mapping[str, str], settings: str | None = None) -> Lang:
    """The language that $POLLWATCH_LANGUAGE asks for, else the configuration, else the locale as POSIX reads it."""
    own, *of_locale = _VARIABLES
    for asked in (environment.get(own), settings, *(environment.get(name) for name in of_locale)):
        if asked:
            return Lang.HANT if asked.lower().startswith("zh") else Lang.EN
    return Lang.EN


def words(lang: str) -> gettext.NullTranslations:
    """The catalogue of one language."""
    return _catalogue(Lang(lang))


@cache
def _catalogue(lang: Lang) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, CATALOGUES, [lang.replace("-", "_")], fallback=lang is Lang.EN)


def _(message: str) -> str:
    """``message`` in the language in use."""
    return _catalogue(used()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The form for so many, in the language in use."""
    return _catalogue(used()).ngettext(one, many, count)


def term(kind: str, code: str | None) -> str:
    """The name of a code in the language in use, by the taxonomy; the code itself where that has none."""
    return _terms().get(kind, {}).get(code or "", {}).get(used(), code or "-")


def _terms() -> Mapping[str, Mapping[str, Mapping[Lang, str]]]:
    from monitor import taxonomy  # not before a name is asked for: `--help` needs no file of seeds

    return taxonomy.terms()


def render(said: Said, zone: tzinfo | None = None) -> str:
    """A sentence in the language in use; with ``zone``, its instants as people of that zone write them.

    A value that stands under the name of a kind of codes (``claim_type``, ``verdict`` …) is told by its name. English
    sentences keep the code, which is what people type.
    """
    if not said.values:
        return _(said.form)
    return _(said.form).format(**{key: _shown(key, value, zone) for key, value in said.values.items()})


def _shown(key: str, value: Any, zone: tzinfo | None) -> Any:
    if isinstance(value, Said):
        return render(value, zone)
    if isinstance(value, (list, tuple)):
        return _listed([str(_shown(key, each, zone)) for each in value])
    if isinstance(value, datetime) and zone is not None:
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, Mapping) and used() in value:
        return value[used()]
    if isinstance(value, str) and used() is not Lang.EN and key in _terms():
        return term(key, value)
    return in_english(value)


def _listed(parts: list[str]) -> str:
    """``a, b and c``"""
    *head, last = parts or [""]
    if not head:
        return last
    return _("{head} and {last}").format(head=_(", ").join(head), last=last)
