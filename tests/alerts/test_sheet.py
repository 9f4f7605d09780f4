"""Everything that one alert's screen shows, put together from the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from alerts import queue
from alerts.dispatch import dispatch
from alerts.sheet import PASSAGES, Passage, captured, read_sheet
from alerts.spans import Span
from classifiers.rules.lures import ITS_OWN
from monitor import language
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError, UnfitActError
from monitor.store import Store, audit, inhibitions, relations
from monitor.store import alerts as alert_store
from monitor.store.schema import alerts, assessments, items, revisions
from monitor.types import AlertState, Decision, Lang, Suppression, Verdict
from tests.alerts.reviewing import FALSE, SECRET, Desk, two_alerts
from tests.alerts.rows import WITHDRAWN, add_incident, add_item, assess

LATER = timedelta(minutes=5)
WORDS = {
    "code": "words",
    "text": "Words that speak for it: “突然退選”; against it: “今早”.",
    "detail": {"for": [["突然退選", 0.61]], "against": [["今早", -0.2]]},
}


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    """Two alerts, and people who act on them."""
    two_alerts(store, settings, now)
    return Desk(store, settings, now)


@pytest.fixture
def chinese() -> Iterator[None]:
    """The interface in Traditional Chinese."""
    language.use("zh-Hant")
    yield
    language.use("en")


def _explain(store: Store) -> None:
    """Give the first item the reasons of a model, one of a kind of which nobody knows any more."""
    odd = {"code": "omen", "text": "An omen.", "detail": {}}
    stance = {"code": "stance", "text": "The text seems to assert its claim.", "detail": {"stance": "asserts"}}
    with store.write() as connection:
        connection.execute(update(assessments).where(assessments.c.item_id == 1).values(reasons=[WORDS, stance, odd]))


def test_the_sheet_in_english(desk: Desk) -> None:
    """The row of `alerts show`, the reasons as stored, the finding with its line, the words where they stand."""
    _explain(desk.store)
    sheet = read_sheet(desk.store, desk.settings, 1, "maya", desk.now)
    assert sheet.alert == queue.show(desk.store, 1, desk.now)
    assert list(sheet.reasons) == sheet.alert["reasons"]
    (finding,) = sheet.findings
    assert (finding.rule, finding.sentence) == ("roster-status", WITHDRAWN.text)
    assert finding.source_line == "watchlist.toml: candidate cheuk-mong-ching"
    (passage,) = sheet.texts
    assert [(passage.text[s.start : s.end], s.kind, s.weight) for s in passage.spans[:3]] == [
        ("卓望晴", "match", 0.0),
        ("今早", "weight", -0.2),
        ("突然退選", "weight", 0.61),
    ]
    assert [passage.title[s.start : s.end] for s in passage.title_spans] == ["卓望晴", "今早", "突然退選"]
    assert [passage.body[s.start : s.end] for s in passage.body_spans] == ["今早", "突然退選"]
    assert [(line.actor, line.sentence) for line in sheet.history] == [
        ("dispatch", "opened it as P1 for team desk-chinese")
    ]
    assert (sheet.mine, sheet.claims, sheet.decisions, sheet.notes, sheet.evidence) == (False, (), (), (), ())
    desk.act("take", "maya")
    assert read_sheet(desk.store, desk.settings, 1, " maya ", desk.now).mine
    assert not read_sheet(desk.store, desk.settings, 1, "ben", desk.now).mine
    with pytest.raises(NotFoundError):
        read_sheet(desk.store, desk.settings, 9, "maya", desk.now)


@pytest.mark.usefixtures("chinese")
def test_the_sheet_in_chinese(desk: Desk) -> None:
    """Sentences in the language, instants of the zone; the row for machines stays as it is."""
    _explain(desk.store)
    desk.act("take", "maya")
    desk.act("decide", "maya", Decision.DISMISS, None, "satire: the paper prints one every April")
    sheet = read_sheet(desk.store, desk.settings, 1, "maya", desk.now)
    assert sheet.reasons[0] == "起始為 P2：候選人事實，提名期前。"
    assert sheet.reasons[1] == "升一級（確切發現）：規則有確切發現（候選人名單：身分）。"
    assert sheet.reasons[-3:] == (
        "指向可疑的字詞：「突然退選」；指向可信的字詞：「今早」。",
        "文中似在斷言其說法。",
        "An omen.",
    )
    assert sheet.findings[0].sentence == "文中說卓望晴不再參選；候選人名單上的身分是提名有效。"
    said = [line.sentence for line in sheet.history]
    assert said[1:] == ["接手，至 2027-03-01 12:40", "初審：駁回：屬諷刺：the paper prints one every April"]
    assert sheet.decisions[0].sentence == said[2]
    assert sheet.alert["reasons"][0] == "Starts at P2: candidate-fact, phase before."
    assert sheet.alert["state"] is AlertState.CLOSED


def test_an_alert_of_an_earlier_program_is_read(desk: Desk) -> None:
    """Its reasons and findings were English sentences and nothing else; they are what it says, in any language."""
    finding = {key: value for key, value in WITHDRAWN.as_row().items() if key != "said"}
    with desk.store.write() as connection:
        old = ["Starts at P2: candidate-fact, phase campaign.", "Back in the queue: {odd}."]
        connection.execute(update(alerts).where(alerts.c.id == 1).values(priority_reasons=old))
        connection.execute(update(assessments).where(assessments.c.item_id == 1).values(findings=[finding]))
    for lang in language.LANGUAGES:
        language.use(lang)
        sheet = read_sheet(desk.store, desk.settings, 1, "maya", desk.now)
        assert sheet.reasons[:2] == ("Starts at P2: candidate-fact, phase campaign.", "Back in the queue: {odd}.")
        assert sheet.findings[0].sentence == WITHDRAWN.text
    language.use("en")
    assert desk.act("take", "maya")["priority_reasons"] == old


@pytest.mark.usefixtures("chinese")
def test_a_finding_rests_on_a_line_or_on_words_of_its_own(desk: Desk) -> None:
    """The line of a file is shown as it stands there; that a lure needs none is said in the reader's language."""
    for line, shown in ((WITHDRAWN.rests_on, WITHDRAWN.rests_on), (ITS_OWN.form, "本身的文字")):
        rows = [{**WITHDRAWN.as_row(), "rests_on": line}]
        with desk.store.write() as connection:
            connection.execute(update(assessments).where(assessments.c.item_id == 1).values(findings=rows))
        (finding,) = read_sheet(desk.store, desk.settings, 1, "maya", desk.now).findings
        assert finding.source_line == shown


def test_a_second_opinion_is_blind(desk: Desk) -> None:
    """Neither the decision nor a note of it is anywhere on the sheet, whoever asks; afterwards both are."""
    desk.act("note", "maya", f"I say {SECRET}", alert_id=1)
    desk.give("maya", *FALSE)
    desk.act("take", "ben")
    for who in ("ben", "maya"):
        sheet = read_sheet(desk.store, desk.settings, 1, who, desk.now)
        assert "ＳＥＣＲＥＴ" not in repr(sheet)
        assert "SECRET" not in repr(sheet)
        (line,) = sheet.decisions
        assert (line.actor, line.sentence) == (
            "maya",
            "first opinion: not to be seen before the second opinion is given",
        )
        assert [note.sentence for note in sheet.notes] == [
            "wrote a note, not to be seen before the second opinion is given"
        ]
    desk.act("decide", "ben", *FALSE, "so do I")
    sheet = read_sheet(desk.store, desk.settings, 1, "ben", desk.now)
    assert [line.sentence for line in sheet.decisions] == [
        "first opinion: clarify, false: 選舉事務署說仍在名單 ＳＥＣＲＥＴ",
        "second opinion: clarify, false: so do I",
    ]
    assert sheet.notes[0].sentence.startswith("wrote: I say")


def test_what_was_edited_is_shown_word_by_word(store: Store, settings: Settings, now: datetime) -> None:
    """Each earlier text against the one that followed; names are looked for where offsets do not hold any more."""
    add_incident(store, now, title="卓望晴已退選")
    dispatch(store, settings, now)
    with store.write() as connection:
        first = {"item_id": 1, "revision": 0, "title": "卓望晴已退選", "summary": "", "link": None, "seen_at": now}
        connection.execute(insert(revisions).values(**first, replaced_at=now + LATER))
        values = {"title": "更正：卓望晴未退選", "summary": "", "revision": 1, "edited_at": now + LATER}
        connection.execute(update(items).values(**values))
        hit = [{"candidate_id": "cheuk-mong-ching", "alias": "卓望晴", "start": 0, "end": 3}]
        connection.execute(update(assessments).values(matches=hit))
    sheet = read_sheet(store, settings, 1, "maya", now + LATER)
    (item,) = sheet.timeline
    (diff,) = item.diffs
    assert diff.instant == now + LATER
    assert diff.words == (("+", "更正："), ("=", "卓望晴"), ("-", "已"), ("+", "未"), ("=", "退選"))
    assert sheet.texts[0].spans == (Span(3, 6, "match"),)


def test_the_item_that_scores_highest_is_read_first(store: Store, settings: Settings, now: datetime) -> None:
    """Then the others by time, not more than fit; the timeline has all of them, in order of time."""
    incident = add_incident(store, now, score=0.6)
    with store.write() as connection:
        for number in range(PASSAGES + 5):
            item = add_item(connection, now + timedelta(minutes=number), incident, "Third", f"No. {number}", "en")
            assess(connection, now, item, score=0.9 if number == 30 else 0.5)
    dispatch(store, settings, now)
    sheet = read_sheet(store, settings, 1, "maya", now)
    assert [passage.title for passage in sheet.texts[:3]] == ["No. 30", "卓望晴今早突然退選？", "No. 0"]
    assert (len(sheet.texts), len(sheet.timeline)) == (PASSAGES, PASSAGES + 6)
    assert [item.published_at for item in sheet.timeline] == sorted(item.published_at or now for item in sheet.timeline)
    assert sheet.texts[0].lang is Lang.EN


def test_what_is_known_of_the_claim(desk: Desk) -> None:
    """Official answers with their outlet, the ruling that answers it, and incidents that may be the same."""
    with desk.store.write() as connection:
        answer = add_item(connection, desk.now, 2, "Election Office", "Ｃｌａｒｉｆｉｅｄ: she stands", "en")
        inhibitions.add_answer(connection, 1, answer, 0.8, desk.now)
        relations.relate(connection, 1, [(2, 0.41)], desk.now)
        values = {"suppression": Suppression.INHIBITED, "inhibited_by": 2}
        connection.execute(update(alerts).where(alerts.c.id == 1).values(**values))
        inhibitions.add(connection, 1, 2, 0.93, desk.now, (1, 1))
    claims = read_sheet(desk.store, desk.settings, 1, "maya", None or desk.now).claims
    assert [(claim.kind, claim.subject, claim.similarity) for claim in claims] == [
        ("media", f"item:{answer}", 0.8),
        ("ruling", "alert:2", 0.93),
        ("incident", "incident:2", 0.41),
    ]
    assert (claims[0].outlet, claims[0].text) == ("Election Office", "Ｃｌａｒｉｆｉｅｄ: she stands")


def test_a_body_that_repeats_the_title_is_left_out() -> None:
    """Then there is one text, and every span is the title's."""
    passage = Passage(1, "退選", "退選", (Span(0, 2, "match"),), Lang.HANT)
    assert (passage.text, passage.title_spans, passage.body_spans) == ("退選", (Span(0, 2, "match"),), ())
    both = Passage(1, "退選", "又退選", (Span(0, 2, "match"), Span(4, 6, "match"), Span(1, 5, "finding")), Lang.HANT)
    assert both.title_spans == (Span(0, 2, "match"), Span(1, 2, "finding"))
    assert both.body_spans == (Span(1, 3, "match"), Span(0, 2, "finding"))


# -- notes and several at once -----------------------------------------------------------------------------------------


def test_a_note_is_an_entry_of_the_audit(desk: Desk) -> None:
    """On an alert in any state, by anybody; the alert stays as it was, and the words stay for good."""
    before = desk.row()
    assert desk.act("note", "ben", "the office says:\u202e 仍在名單  ＯＫ") == before
    with desk.store.read() as connection:
        entry = audit.listing(connection, subject=alert_store.subject(1))[-1]
        assert audit.verify(connection) is None
    assert (entry["actor"], entry["action"], entry["detail"]) == (
        "ben",
        "alert.note",
        {"text": "the office says: 仍在名單 ＯＫ"},
    )
    assert desk.refused("note", "ben", " \u200b ") == "no-text"
    assert desk.refused("note", "ben", "退" * 4001) == "too-long"
    assert desk.refused("note", " ", "words") == "no-reviewer"
    with pytest.raises(NotFoundError):
        desk.act("note", "ben", "words", alert_id=9)


def test_several_are_dismissed_with_one_reason(desk: Desk) -> None:
    """Each by itself: what another holds, what is decided and what is not there are told, the others are done."""
    for number in range(3):
        add_incident(desk.store, desk.now, title=f"A fair on pier {number}", lang="en", matches=[])
    dispatch(desk.store, desk.settings, desk.now)
    desk.act("take", "ben", alert_id=2)
    desk.act("take", "maya", alert_id=3)
    desk.act("take", "maya", alert_id=4)
    desk.act("decide", "maya", Decision.WATCH, None, "quiet", alert_id=4)
    act = (desk.store, desk.settings, "maya", desk.now)
    outcomes = queue.dismiss_many(*act, [3, 2, 5, 9, 4, 3], "not-election: a fair")
    told = [
        (each.alert_id, each.row and each.row["decision"], each.refusal and type(each.refusal).__name__)
        for each in outcomes
    ]
    assert told == [
        (3, "dismiss", None),
        (2, None, "RefusedError"),
        (5, "dismiss", None),
        (9, None, "NotFoundError"),
        (4, None, "RefusedError"),
    ]
    assert desk.row(2)["holder"] == "ben"
    with desk.store.read() as connection:
        actions = [entry["action"] for entry in audit.listing(connection, subject=alert_store.subject(5))]
        assert audit.verify(connection) is None
    assert actions == ["alert.open", "alert.take", "alert.decide"]
    for reason in ("", "boring"):
        with pytest.raises(UnfitActError):
            queue.dismiss_many(*act, [1], reason)
    assert desk.row(1)["state"] is AlertState.OPEN


def test_one_that_is_refused_is_not_left_taken(desk: Desk) -> None:
    """Taking and deciding are one transaction: whoever may not decide does not hold it afterwards either."""
    desk.give("maya", *FALSE)  # the first alert now waits for another person
    act = (desk.store, desk.settings, "maya", desk.now)
    (first, second) = queue.decide_many(*act, [1, 2], Decision.CLARIFY, Verdict.FALSE, "so it is")
    assert isinstance(first.refusal, RefusedError)
    assert first.refusal.reason == "same-person"
    assert second.row is not None
    assert second.row["decision"] is Decision.CLARIFY
    with desk.store.read() as connection:
        assert connection.scalar(select(alerts.c.holder).where(alerts.c.id == 1)) is None


@pytest.mark.parametrize(
    ("lang", "changed", "expected"),
    [
        ("en", None, ("feed entry 200", "")),
        ("en", "changed", ("feed entry 200", "the page reads otherwise now")),
        ("zh-Hant", "gone", ("來源條目 200", "網頁已移除")),
    ],
)
def test_evidence_is_told_in_the_readers_language(lang: str, changed: str | None, expected: tuple[str, str]) -> None:
    """What was captured and what became of it in words; hash and address as they are, for whoever checks them."""
    row = {"kind": "entry", "status": 200, "changed": changed, "sha256": "ab" * 32, "url": "https://harbour.example/"}
    with language.speaking(lang):
        assert captured(row) == (*expected, f"SHA-256 {'ab' * 32} https://harbour.example/")
