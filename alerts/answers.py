"""Ready answers: what a published clarification says in a messenger, as a short text and as a picture."""

from __future__ import annotations

from alerts import card, phrases
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.store import Store, clarifications
from monitor.text import clean, shorten
from monitor.types import Clarification, Lang, Said, Verdict, Version, languages_of, page_url

LONGEST = 200  # characters of a title or a fact: a message is read on a telephone
_TONES = {
    Verdict.FALSE: "#b3261e",
    Verdict.MISLEADING: "#b3261e",
    Verdict.PARTLY_FALSE: "#8a5200",
    Verdict.UNPROVEN: "#8a5200",
    Verdict.TRUE: "#00663d",
}
_PLAIN = "#46515a"


def message(store: Store, settings: Settings, clarification_id: int, lang: Lang | None = None) -> str:
    """Title, first fact, verdict and address, in one language or in all; the claim itself is not repeated.

    Raises RefusedError for what the public does not read, or not in that language; NotFoundError.
    """
    found, version = _public(store, clarification_id)
    langs = [each for each in languages_of(version.texts) if lang in (None, each)]
    if not langs:
        said = Said("clarification {id} is not written in {lang}")
        raise RefusedError("not-public", said.filled(id=found.id, lang=lang))
    return "\n\n".join(_told(found, version, each, settings) for each in langs)


def picture(store: Store, settings: Settings, clarification_id: int) -> bytes:
    """The image card, a PNG of 1200 by 630 pixels.

    Raises RefusedError for what the public does not read; InputError without a font for it; NotFoundError.
    """
    found, version = _public(store, clarification_id)
    words = phrases.load()
    named = settings.publish.font
    langs = languages_of(version.texts)[::-1]
    publishers = {Lang.EN: settings.publish.name_en, Lang.HANT: settings.publish.name_zh}
    return card.draw(
        card.Card(
            publishers=[clean(publishers[lang]) for lang in langs[::-1]],
            labels=[words.pages[lang]["label"] for lang in langs],
            titles=[version.texts[lang].title for lang in langs],
            verdicts=[words.ruling(version.verdict, lang) for lang in langs],
            tone=_TONES.get(version.verdict, _PLAIN),
            address=page_url(settings.publish.base_url, found.slug, langs[0]),
        ),
        card.find_faces(settings.path(named) if named else None),
    )


def _public(store: Store, clarification_id: int) -> tuple[Clarification, Version]:
    with store.read() as connection:
        found = clarifications.get(connection, clarification_id)
    if not found.is_public:
        said = Said("clarification {id} is not public: only what two people published is")
        raise RefusedError("not-public", said.filled(id=found.id))
    return found, found.versions[-1]


def _told(found: Clarification, version: Version, lang: Lang, settings: Settings) -> str:
    text, words = version.texts[lang], phrases.load()
    page, first = words.pages[lang], text.facts[0]
    return "\n".join(
        [
            f"【{page['label']}】{_line(text.title)}" if lang is Lang.HANT else f"{page['label']}: {_line(text.title)}",
            f"{_line(first.text)} ({page['source']}{_line(first.source)})",
            words.ruling(version.verdict, lang),
            page_url(settings.publish.base_url, found.slug, lang),
        ]
    )


def _line(text: str) -> str:
    return shorten(clean(text), LONGEST)
