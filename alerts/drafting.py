"""The draft of a clarification, from what the desk knows of an alert: facts first, by template. Pure.

A fact stands in it where a rule found what the claim contradicts, or where an official outlet has answered; whatever
cannot be said in fixed words is left to the editor, and an empty section is refused before anything is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.phrases import Phrases
from alerts.statement import is_link, tidied
from monitor.reference import CandidateEntry
from monitor.sections import Publish
from monitor.taxonomy import Taxonomy
from monitor.text import HAN, detect_lang
from monitor.types import ClaimType, Fact, Lang, Statement, Texts

ANSWERS = 2  # official items, the most similar, that a draft begins with

_RESTS_ON = re.compile(r"(?P<key>[a-z]+(?:\.[a-z]+)?) = (?P<value>.+)")
_CANDIDATE = re.compile(r"candidate (?P<id>[a-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a draft takes from the files of a desk."""

    phrases: Phrases
    taxonomy: Taxonomy
    publish: Publish
    candidates: Mapping[str, CandidateEntry]  # by id
    polling_source: str  # where the official facts are from


def draft(
    claim: str,
    claim_type: ClaimType | None,
    findings: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any]],
    desk: Desk,
) -> Texts:
    """The text in each language, as far as it can be written without a person.

    ``findings`` are those of the incident as stored, ``answers`` the official items that may answer it.
    """
    contact = {Lang.EN: desk.publish.contact_en, Lang.HANT: desk.publish.contact_zh}
    advice = desk.phrases.advice(claim_type)
    langs = desk.publish.languages
    facts: dict[Lang, list[Fact]] = {lang: [] for lang in langs}
    for fact in (*_found(findings, desk), *_answered(answers, desk)):
        for lang in langs:
            if fact[lang] not in facts[lang]:
                facts[lang].append(fact[lang])
    texts = {
        lang: Statement(
            title=_title(claim_type, lang, desk),
            facts=tuple(facts[lang]),
            claim=claim,
            advice=advice[lang],
            contact=contact[lang],
        )
        for lang in langs
    }
    return tidied(texts)


def _title(claim_type: ClaimType | None, lang: Lang, desk: Desk) -> str:
    name = desk.taxonomy[claim_type].names[lang] if claim_type else desk.phrases.unclear[lang]
    return desk.phrases.title[lang].format(claim_type=name[:1].upper() + name[1:])


def _found(findings: Sequence[Mapping[str, Any]], desk: Desk) -> Iterator[dict[Lang, Fact]]:
    """What is so, of each line that a finding rests on and that fixed words exist for."""
    for line in dict.fromkeys(str(finding["rests_on"]) for finding in findings):
        _, *where, last = line.split(": ")
        match = _RESTS_ON.match(last)
        if match is None:
            continue
        key, value = match["key"], match["value"]
        if key == "status":
            key, value = f"status.{value.split()[0]}", ""
        named = _CANDIDATE.fullmatch(where[0]) if where else None
        person = desk.candidates.get(named["id"]) if named else None
        if key not in desk.phrases.facts or (where and person is None):
            continue
        source = {lang: desk.phrases.roster[lang] if person else desk.polling_source for lang in desk.publish.languages}
        yield {
            lang: Fact(desk.phrases.facts[key][lang].format(value=value, name=_name(person, lang)), source[lang])
            for lang in desk.publish.languages
        }


def _name(person: CandidateEntry | None, lang: Lang) -> str:
    if person is None:
        return ""
    latin = person.latin
    printed = next((name for name in person.names if not HAN.search(name)), None)
    if lang is Lang.EN and printed is not None:
        return printed
    if lang is Lang.EN and latin is not None:
        return latin.whole
    return person.names[0]


def _answered(answers: Sequence[Mapping[str, Any]], desk: Desk) -> Iterator[dict[Lang, Fact]]:
    """The headline of an official item is a fact in its own language; the other is left to the editor."""
    for answer in answers[:ANSWERS]:
        link = answer["link"] if is_link(answer["link"] or "") else ""
        own = Lang.EN if detect_lang(answer["title"]) is Lang.EN else Lang.HANT
        yield {
            lang: Fact(answer["title"] if lang is own else "", answer["outlet"], link)
            for lang in desk.publish.languages
        }
