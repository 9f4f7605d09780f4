"""What people read, in two languages: every marked string is translated, every code has its name."""

from __future__ import annotations

import io
import json
import re
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Barrier
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from click.testing import CliRunner

from alerts import dispatch, notify
from alerts.acts import CLOCK
from alerts.transitions import DismissReason
from classifiers import group, sentences
from monitor import language, taxonomy
from monitor.errors import FeedErrorKind
from monitor.language import _, ngettext, render, term
from monitor.reference import CandidateEntry
from monitor.sections import Tips
from monitor.types import (
    AlertState,
    CaptureKind,
    ClaimType,
    Decision,
    Label,
    Lang,
    Phase,
    Review,
    Role,
    Said,
    Stance,
    Suppression,
    Verdict,
)
from monitor.types.said import sentence_list
from tests import catalogue

CODES: dict[str, list[str]] = {
    "claim_type": [*ClaimType],
    "state": [*AlertState],
    "review": [*Review],
    "decision": [*Decision],
    "verdict": [*Verdict],
    "dismiss_reason": [*DismissReason],
    "suppression": [*Suppression],
    "stance": [*Stance],
    "label": [*Label],
    "role": [*Role],
    "phase": [*Phase],
    "lang": [*Lang],
    "feed_error": [*FeedErrorKind],
    "capture": [*CaptureKind],
    "candidate_status": [*CandidateEntry.model_fields["status"].annotation.__args__],  # type: ignore[union-attr]  # a Literal
    "actor": [dispatch.ACTOR, notify.ACTOR, group.ACTOR, CLOCK],  # of what is done with alerts
    "channel": [*Tips().channels],
}


@pytest.fixture
def chinese() -> Iterator[None]:
    """The interface in Traditional Chinese."""
    language.use("zh-Hant")
    yield
    language.use("en")


def _places(form: str) -> list[tuple[str, str]]:
    """The placeholders of a form with their formats."""
    return sorted({(name, spec or "") for _text, name, spec, _how in string.Formatter().parse(form) if name})


def test_every_marked_string_is_translated() -> None:
    """None is missing or fuzzy, and each translation has the placeholders of its English form, no others."""
    known = catalogue.translated()
    assert len(catalogue.marked()) > 200
    for message, files in catalogue.marked().items():
        found = known.get(message if isinstance(message, str) else message[0])
        assert found is not None, f"{message} of {files}: run python -m tests.catalogue and translate it"
        assert not found.fuzzy, message
        given = [found.string] if isinstance(found.string, str) else list(found.string)
        wanted = message if isinstance(message, str) else message[-1]
        for text in given:
            assert text, f"{message} of {files} is not translated"
            assert _places(text) == _places(wanted), message


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    """Who edits the .po file compiles it: the .mo is what the program reads. Its head names the Babel that made it."""
    made, wanted = (
        {repr(message.id): message.string for message in read_mo(io.BytesIO(data)) if message.id}
        for data in (catalogue.MO.read_bytes(), catalogue.compiled(catalogue.translated()))
    )
    assert made
    assert made == wanted, "run python -m tests.catalogue"


def test_no_string_is_marked_where_nobody_finds_it() -> None:
    """The extractor does not look into f-strings, and what is no literal cannot be found at all."""
    for package in catalogue.PACKAGES:
        for file in (catalogue.ROOT / package).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"""\{_\(['"]""", text), file
            assert not re.search(r"\bSaid\(f['\"]|(?<![\w.])_\(f['\"]", text), file


def test_every_code_has_its_name_in_three_scripts() -> None:
    """One table holds them all, and nothing that is no code any more."""
    table = taxonomy.terms()
    for kind, codes in CODES.items():
        assert set(table[kind]) == set(codes), kind
    assert set(table) == {*CODES, "finding"}
    for kind, named in table.items():
        for code, names in named.items():
            assert set(names) == set(Lang), (kind, code)
            assert all(names.values()), (kind, code)


def test_every_rule_has_its_name() -> None:
    """Each rule that a finding may name."""
    source = "".join(file.read_text(encoding="utf-8") for file in (catalogue.ROOT / "classifiers/rules").glob("*.py"))
    rules = set(re.findall(r'"((?:roster|facts|lure|name|office|lookalike)-[a-z]+|allegation|lure)"', source))
    rules |= {"facts-opens", "facts-closes"}
    assert rules == set(taxonomy.terms()["finding"])


@pytest.mark.parametrize(
    ("environment", "settings", "expected"),
    [
        ({}, None, "en"),
        ({"LANG": "zh_HK.UTF-8"}, None, "zh-Hant"),
        ({"LANG": "zh_HK.UTF-8", "LC_ALL": "en_GB.UTF-8"}, None, "en"),
        ({"LANG": "zh_HK.UTF-8", "LC_ALL": ""}, None, "zh-Hant"),
        ({"LANG": "de_DE.UTF-8"}, None, "en"),
        ({"LANG": "en_US.UTF-8"}, "zh-Hant", "zh-Hant"),
        ({"POLLWATCH_LANGUAGE": "en", "LANG": "zh_TW"}, "zh-Hant", "en"),
    ],
)
def test_the_language_is_the_first_that_somebody_asked_for(
    environment: dict[str, str], settings: str | None, expected: str
) -> None:
    """The variable of our own, the configuration, the locale in the order of POSIX; English for any other."""
    assert language.wanted(environment, settings) == expected


@pytest.mark.usefixtures("chinese")
def test_a_name_is_told_as_each_language_has_it() -> None:
    """Also in a sentence that comes from the store, and with names beside it that have no other form."""
    both = {Lang.EN: "Vivian Cheuk", Lang.HANT: "卓望晴"}
    said = Said.read(json.loads(json.dumps(asdict(Said("{names} and {n}", {"names": [both, "Bo Quill"], "n": 2})))))
    assert said.text == "Vivian Cheuk and Bo Quill and 2"
    assert render(said) == "卓望晴及Bo Quill and 2"


def test_only_the_languages_of_the_interface_can_be_used() -> None:
    """Simplified Chinese is a language of texts, not of screens."""
    with pytest.raises(ValueError, match="no interface"):
        language.use("zh-Hans")
    assert CliRunner().invoke(_cli(), ["--language", "fr", "status"]).exit_code == 2


def _cli() -> Any:
    from alerts.cli import cli

    return cli


@pytest.mark.usefixtures("chinese")
def test_sentences_name_codes_and_keep_their_values() -> None:
    """Nested parts, lists, formats and codes are said in the language; what an outlet wrote stays as it is."""
    said = Said(
        "Starts at {priority}: {claim_type}, phase {phase}.",
        {"priority": "P1", "claim_type": "scam-lure", "phase": "polling-day"},
    )
    assert render(said) == "起始為 P1：選舉騙局，投票日。"
    assert render(Said("Names {names}.", {"names": ["卓望晴", "文沛霖", "{x}"]})) == "提到卓望晴、文沛霖及{x}。"
    off = Said(
        "It {said}; officially polling day is {official}.", {"said": Said("says that the poll is off"), "official": "?"}
    )
    assert render(off) == "文中說投票取消或押後；官方投票日是?。"
    assert (_("Why"), ngettext("{count} outlet", "{count} outlets", 3)) == ("原因", "{count} 個媒體")
    assert (term("verdict", "false"), term("verdict", None), term("verdict", "new")) == ("不實", "-", "new")


def test_english_keeps_codes_as_they_are_typed() -> None:
    """And a sentence of an earlier program, kept whole, is shown whatever it holds."""
    said = Said("Looks like {claim_type}.", {"claim_type": "scam-lure"})
    assert render(said) == said.text == "Looks like scam-lure."
    assert (
        Said.read("Back in the queue: {odd}.").text
        == render(Said.read("Back in the queue: {odd}."))
        == ("Back in the queue: {odd}.")
    )
    assert [sentence_list(words) for words in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]


@pytest.mark.usefixtures("chinese")
def test_rows_of_earlier_programs_are_read() -> None:
    """Reasons by their code and detail, findings and whatever is unknown by the English that stands there."""
    old = {"code": "stance", "text": "The text seems to report a claim.", "detail": {"stance": "reports"}}
    assert render(sentences.stored(old)) == "文中似在報道某說法。"
    match = {"code": "match", "text": "Names Perry Man.", "detail": {"candidates": ["man-pui-lam"]}}
    assert render(sentences.stored(match)) == "提到man-pui-lam。"
    finding = {"rule": "lure", "text": "It asks for {money}.", "evidence": "", "rests_on": "", "weight": 0.5}
    assert render(sentences.found(finding)) == "It asks for {money}."
    for odd in ({"code": "words", "text": "Odd.", "detail": {}}, {"code": "new", "text": "Odd.", "detail": None}):
        assert render(sentences.stored(odd)) == "Odd."


def test_a_page_speaks_its_readers_language_whatever_others_speak() -> None:
    """In its own thread, until its block ends: the process and pages made at the same time keep their own."""
    met = Barrier(2, timeout=10)

    def page(lang: str) -> list[str]:
        with language.speaking(lang):
            met.wait()
            said = [_("Why"), term("state", "open"), language.used().value]
            met.wait()
        return [*said, _("Why")]

    with ThreadPoolExecutor(2) as threads:
        english, chinese = threads.map(page, ("en", "zh-Hant"))
    assert english == ["Why", "open", "en", "Why"]
    assert chinese[2:] == ["zh-Hant", "Why"]
    assert chinese[0] == "原因"
    with pytest.raises(ValueError, match="no interface"), language.speaking("zh-Hans"):
        pass
