"""What the world reads: every file of the site of clarifications, from what was published. Pure.

No name of a person of the desk stands in any of it. The same clarifications give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from alerts.claimreview import as_json, claim_review
from alerts.phrases import Phrases
from alerts.render import render
from alerts.rss import Channel, Entry, atom, rss
from monitor.sections import Publish
from monitor.text import clean, detect_lang
from monitor.types import Clarification, ClarificationState, Lang, Statement, Version, languages_of, page_path

RSS, ATOM, INDEX = "clarifications.xml", "clarifications.atom", "index.html"


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shares."""

    publish: Publish
    phrases: Phrases
    zone: ZoneInfo

    def publisher(self, lang: Lang) -> str:
        """Who publishes, in one language."""
        return clean(self.publish.name_en if lang is Lang.EN else self.publish.name_zh)

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"{self.publish.base_url}/{path}"

    def shown(self, moment: datetime, lang: Lang) -> dict[str, str]:
        """An instant for people and for machines, local to the election."""
        local = moment.astimezone(self.zone)
        return {"iso": local.isoformat(timespec="seconds"), "shown": local.strftime(self.phrases.pages[lang]["date"])}


def files(published: Sequence[Clarification], site: Site) -> dict[str, bytes]:
    """Every file by its path; none before something was published."""
    if not published:
        return {}
    found: dict[str, bytes] = {}
    for each in published:
        for lang in _languages(each):
            review = None if _is_withdrawn(each) else as_json(_review(each, lang, site))
            found[page_path(each.slug, lang)] = render("clarification.html", _page(each, lang, site, review)).encode()
            if review is not None:
                found[f"{lang}/{each.slug}.json"] = review.encode() + b"\n"
    found[INDEX] = render("clarifications.html", _index(published, site)).encode()
    entries = [_entry(each, lang, site) for each in published for lang in _languages(each)]
    channel = _channel(published, site)
    return {**found, RSS: rss(channel, entries), ATOM: atom(channel, entries)}


def _review(each: Clarification, lang: Lang, site: Site) -> dict[str, Any]:
    first, last = each.versions[0], each.versions[-1]
    return claim_review(
        last.texts[lang],
        lang,
        site.phrases.verdicts[last.verdict],
        url=site.url(page_path(each.slug, lang)),
        publisher=site.publisher(lang),
        publisher_url=site.publish.base_url,
        published_at=first.published_at.astimezone(site.zone),
        modified_at=last.published_at.astimezone(site.zone),
        claimed_at=each.claimed_at and each.claimed_at.astimezone(site.zone),
    )


def _page(each: Clarification, lang: Lang, site: Site, review: str | None) -> dict[str, Any]:
    version = each.versions[-1]
    text, words = version.texts[lang], site.phrases.pages[lang]
    corrected = version.state is ClarificationState.CORRECTED
    dated = site.shown(version.published_at, lang)["shown"]
    return {
        **_shared(site),
        "lang": lang.value,
        "url": site.url(page_path(each.slug, lang)),
        "publisher": site.publisher(lang),
        "words": words,
        "others": [_link(each.slug, other, site) for other in _languages(each)],
        "review": review,
        "withdrawn": _is_withdrawn(each),
        "corrected_on": words["corrected_note"].format(date=dated) if corrected else "",
        "text": text,
        "published": site.shown(each.versions[0].published_at, lang),
        "change": _parts(text.change) if version.number > 1 else [],
        "facts": [{"parts": _parts(fact.text), "source": fact.source, "link": fact.link} for fact in text.facts],
        "claim": _parts(text.claim),
        "claim_lang": detect_lang(text.claim).value,
        "verdict": _verdict(version, lang, site),
        "advice": _parts(text.advice),
        "contact": _parts(text.contact),
        "history": list(_history(each, lang, site)),
    }


def _verdict(version: Version, lang: Lang, site: Site) -> dict[str, Any]:
    words = site.phrases.verdicts[version.verdict]
    return {
        "code": version.verdict.value,
        "word": words.word[lang],
        "sentence": words.sentence[lang],
        "others": [
            {"lang": other.value, "word": words.word[other]}
            for other in Lang
            if other is not lang and len(version.texts) > 1
        ],
    }


def _history(each: Clarification, lang: Lang, site: Site) -> Iterator[dict[str, Any]]:
    """What became of the page and when, the newest first."""
    for version in reversed(each.versions):
        change = _parts(version.texts[lang].change) if version.number > 1 else []
        word = site.phrases.pages[lang][version.state]
        yield {"word": word, **site.shown(version.published_at, lang), "change": change}


def _index(published: Sequence[Clarification], site: Site) -> dict[str, Any]:
    ordered = sorted(published, key=lambda each: (each.versions[-1].published_at, each.id), reverse=True)
    heads = [
        {"lang": lang.value, "words": site.phrases.pages[lang], "publisher": site.publisher(lang)}
        for lang in site.publish.languages
    ]
    return {**_shared(site), "url": site.url(INDEX), "heads": heads, "rows": [_row(each, site) for each in ordered]}


def _row(each: Clarification, site: Site) -> dict[str, Any]:
    version = each.versions[-1]
    gone = _is_withdrawn(each)
    texts = [
        {
            "lang": lang.value,
            "href": page_path(each.slug, lang),
            "title": version.texts[lang].title,
            "word": site.phrases.pages[lang]["withdrawn"] if gone else site.phrases.ruling(version.verdict, lang),
        }
        for lang in _languages(each)
    ]
    moment = version.published_at.astimezone(site.zone)
    shown = {"iso": moment.isoformat(timespec="seconds"), "shown": f"{moment:%Y-%m-%d %H:%M}"}
    return {"texts": texts, "code": "withdrawn" if gone else version.verdict.value, **shown}


def _entry(each: Clarification, lang: Lang, site: Site) -> Entry:
    first, last = each.versions[0], each.versions[-1]
    words, text = site.phrases.pages[lang], last.texts[lang]
    colon = ": " if lang is Lang.EN else "："
    title = text.title if last.number == 1 else f"{words[last.state]}{colon}{text.title}"
    return Entry(
        id=uuid.uuid5(uuid.UUID(each.uid), lang.value).urn,
        url=site.url(page_path(each.slug, lang)),
        lang=lang,
        title=title,
        html=_short(each, text, lang, site),
        published_at=first.published_at.astimezone(site.zone),
        updated_at=last.published_at.astimezone(site.zone),
    )


def _short(each: Clarification, text: Statement, lang: Lang, site: Site) -> str:
    """The clarification as the HTML of a feed's entry: facts, then claim and verdict."""
    words, version = site.phrases.pages[lang], each.versions[-1]
    change = [text.change] if version.number > 1 else []
    if _is_withdrawn(each):
        parts = [words["withdrawn_note"], *change]
    else:
        verdict = site.phrases.verdicts[version.verdict]
        quoted = f"{words['claim']}: {text.claim}" if lang is Lang.EN else f"{words['claim']}：「{text.claim}」"
        parts = [
            *change,
            *(fact.text for fact in text.facts),
            quoted,
            f"{verdict.word[lang]} – {verdict.sentence[lang]}",
        ]
    return "".join(f"<p>{html.escape(clean(part))}</p>" for part in parts)


def _channel(published: Sequence[Clarification], site: Site) -> Channel:
    first = min(published, key=lambda each: (each.versions[0].published_at, each.id))
    langs = site.publish.languages
    both = " ".join(dict.fromkeys(map(site.publisher, langs)))
    titles = " ".join(site.phrases.pages[lang]["site"] for lang in langs)
    return Channel(
        title=f"{both} – {titles}",
        description=" ".join(site.phrases.pages[lang]["lead"] for lang in langs),
        author=both,
        home=site.url(INDEX),
        rss=site.url(RSS),
        atom=site.url(ATOM),
        id=uuid.uuid5(uuid.UUID(first.uid), "feed").urn,  # for good, wherever the site moves
    )


def _shared(site: Site) -> dict[str, Any]:
    style, policy = _style()
    return {"style": style, "csp": policy, "rss": site.url(RSS), "atom": site.url(ATOM)}


@cache
def _style() -> tuple[str, str]:
    """The style of every page, and the policy that lets it in and nothing else."""
    style = render("clarification.css", {})
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; base-uri 'none'; form-action 'none'"
    return style, policy


def _link(slug: str, lang: Lang, site: Site) -> Mapping[str, str]:
    path = page_path(slug, lang)
    name = site.phrases.pages[lang]["lang_name"]
    return {"lang": lang.value, "name": name, "url": site.url(path), "href": f"../{path}"}


def _parts(text: str) -> list[str]:
    """The paragraphs of a text."""
    return [part for part in text.split("\n\n") if part]


def _languages(each: Clarification) -> tuple[Lang, ...]:
    return languages_of(each.versions[-1].texts)


def _is_withdrawn(each: Clarification) -> bool:
    return each.versions[-1].state is ClarificationState.WITHDRAWN
