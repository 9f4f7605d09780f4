"""What the public reads: pages, feeds and ClaimReview, and what stands behind them."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from extruct.jsonld import JsonLdExtractor

from alerts import phrases, queue
from alerts.site import prepare
from monitor.errors import ConfigError, InputError, RefusedError
from monitor.store import Store, audit
from monitor.types import ClaimType, Verdict
from tests.alerts.clarifying import RUMOUR, Desk, corrected, publishing
from tests.alerts.feedrules import faults_of_atom, faults_of_rss

HOSTILE = (
    "</script><script>alert(1)</script> <img src=x onerror=alert(2)> ]]> &lt;b&gt; \"quoted\" 'x' {{ 7 * 7 }} "
    "\u202eevil\u202c \u2066x\u2069 \u200b卓望晴\u001b[31m <!-- 退選 ＜ｂ＞ \U000e0041"
)
BASE = "https://clarify.example"
# What schema.org says of the types that we use: property by property the types it may have, those of its parents too.
_THING = {"url": "text", "name": "text", "description": "text"}
_CREATIVE = {
    **_THING,
    "author": "Organization",
    "publisher": "Organization",
    "datePublished": "date",
    "dateModified": "date",
    "inLanguage": "text",
    "text": "text",
    "headline": "text",
}
_SCALE = {"bestRating": "number", "worstRating": "number"}
SCHEMA: dict[str, dict[str, str]] = {
    "Organization": _THING,
    "Rating": {**_THING, "alternateName": "text", "ratingValue": "number", **_SCALE},
    "Claim": _CREATIVE,
    "ClaimReview": {**_CREATIVE, "claimReviewed": "text", "itemReviewed": "Claim", "reviewRating": "Rating"},
}
# https://developers.google.com/search/docs/appearance/structured-data/factcheck
GOOGLE = {"ClaimReview": {"claimReviewed", "reviewRating", "url"}, "Rating": {"alternateName"}}


@pytest.fixture
def desk(store: Store, folder: Path, now: Any) -> Desk:
    return Desk(store, publishing(folder), now)


def _later(desk: Desk, hours: int) -> Desk:
    return Desk(desk.store, desk.settings, desk.now + timedelta(hours=hours))


def _pages(desk: Desk) -> dict[str, str]:
    paths = [path.relative_to(desk.site).as_posix() for path in desk.site.rglob("*.html")]
    return {path: desk.file(path) for path in paths}


def _check(review: dict[str, Any]) -> None:
    """By schema.org's definition, and with what Google asks for."""
    kind = review["@type"]
    assert GOOGLE.get(kind, set()) <= set(review)
    for name, value in review.items():
        if name.startswith("@"):
            continue
        wanted = SCHEMA[kind][name]
        if wanted in SCHEMA:
            assert value["@type"] == wanted
            _check(value)
        elif wanted == "number":
            assert isinstance(value, int)
        elif wanted == "date":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", value)
        else:
            assert isinstance(value, str)
            assert value


def test_one_clarification_from_the_alert_to_the_page(desk: Desk) -> None:
    """Both languages, facts before the claim, the verdict in its fixed words in three scripts; feeds, ClaimReview."""
    id = desk.published()
    done = desk.show(id)
    assert done["urls"] == {"en": f"{BASE}/en/2027-03-01-{id}.html", "zh-Hant": f"{BASE}/zh-Hant/2027-03-01-{id}.html"}
    page = desk.file(f"zh-Hant/2027-03-01-{id}.html")
    words = [
        "票站於投票日 22:30 關閉。",
        "來源：",
        RUMOUR,
        "部分不實",
        "Partly false",
        "部分不实",
        "請勿轉發",
        "電話：",
    ]
    places = [page.rindex(word) for word in words]
    assert places == sorted(places)
    assert "Polling stations close at 22:30 on polling day." in desk.file(f"en/2027-03-01-{id}.html")
    assert '<html lang="zh-Hant">' in page
    assert "1 March 2027, 12:30" in desk.file(f"en/2027-03-01-{id}.html"), "local to the election"


@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_claim_review_is_what_others_read(desk: Desk, lang: str) -> None:
    """extruct finds it in the page; it is what the file holds, fits schema.org, and has what Google asks for."""
    id = desk.published(verdict=Verdict.MISLEADING)
    page = desk.file(f"{lang}/2027-03-01-{id}.html")
    (review,) = JsonLdExtractor().extract(page)
    _check(review)
    assert review == json.loads(desk.file(f"{lang}/2027-03-01-{id}.json"))
    assert review["url"] == desk.show(id)["urls"][lang]
    assert review["claimReviewed"] == RUMOUR
    words = phrases.load().verdicts[Verdict.MISLEADING]
    assert review["reviewRating"]["alternateName"] in words.word.values()
    assert (review["reviewRating"]["ratingValue"], review["inLanguage"]) == (words.rating, lang)


def test_a_verdict_without_a_number_has_none(desk: Desk) -> None:
    """Unproven is no point between false and true: the word alone stands in the rating."""
    id = desk.published(verdict=Verdict.UNPROVEN)
    (review,) = JsonLdExtractor().extract(desk.file(f"en/2027-03-01-{id}.html"))
    _check(review)
    assert review["reviewRating"] == {"@type": "Rating", "alternateName": "Unproven"}


def test_the_feeds_pass_the_rules(desk: Desk) -> None:
    """Of the W3C's validator, with corrections, withdrawals and hostile titles among the entries."""
    first, second = desk.published(), desk.published(HOSTILE, claim_type=None)
    desk.edit(second, lambda text: corrected(text).replace("the facts", f"{HOSTILE} <b>the</b> &amp; facts"))
    desk.approve(second)
    _later(desk, 1).publish()
    desk.withdraw(first)
    desk.approve(first)
    _later(desk, 2).publish()
    rss, atom = (desk.site / name for name in ("clarifications.xml", "clarifications.atom"))
    assert faults_of_rss(rss.read_bytes(), f"{BASE}/clarifications.xml") == []
    assert faults_of_atom(atom.read_bytes(), f"{BASE}/clarifications.atom") == []
    titles = re.findall("<title>(.*)</title>", atom.read_text(encoding="utf-8"))
    assert any(title.startswith("撤回：") for title in titles)
    assert any(title.startswith("Corrected: ") for title in titles)


def test_identifiers_are_for_good(desk: Desk) -> None:
    """Those of the feed and of its entries stay when things are corrected, added, withdrawn or moved elsewhere."""
    first = desk.published()

    def ids() -> list[str]:
        return re.findall("<id>(.*)</id>", desk.file("clarifications.atom"))

    before = ids()
    desk.published("另一則傳言說票站改在碼頭，請向街坊轉告，不要走錯地方", matches=["somebody"])
    desk.edit(first, corrected)
    desk.approve(first)
    moved = desk.settings.publish.model_copy(update={"base_url": "https://moved.example"})
    Desk(desk.store, desk.settings.model_copy(update={"publish": moved}), desk.now).publish()
    assert len(before) == 3
    assert set(before) < set(ids())
    assert before[0] == ids()[0]
    assert f"https://moved.example/en/2027-03-01-{first}.html" in desk.file("clarifications.xml")


def test_corrections_and_withdrawals_keep_the_address_and_their_history(desk: Desk) -> None:
    """A correction says what it changed, and when; of what is withdrawn only that, and why, is left to read."""
    id = desk.published()
    path = f"zh-Hant/2027-03-01-{id}.html"
    desk.edit(id, lambda text: corrected(text).replace("22:30 關閉", "23:00 關閉"), who="ben")
    assert "23:00" not in desk.file(path), "what is edited is not public"
    desk.approve(id, "maya")
    _later(desk, 1).publish()
    page = desk.file(path)
    assert "本澄清已於 2027年3月1日 13:30 更正。" in page
    assert "23:00 關閉" in page
    assert "時間有誤。" in page
    assert "22:30 關閉" not in page
    desk.withdraw(id)
    assert desk.publish().problems == ()
    assert desk.file(path) == page, "a proposal changes nothing"
    desk.approve(id)
    _later(desk, 2).publish()
    page = desk.file(path)
    history = page[page.index('<h2 id="history">') :]
    places = [history.index(word) for word in ("撤回", "投票時間已更改。", "更正", "時間有誤。", "發布")]
    assert places == sorted(places)
    assert "本澄清已經撤回" in page
    for gone in ("23:00 關閉", RUMOUR, "ClaimReview"):
        assert gone not in page
    assert not (desk.site / f"zh-Hant/2027-03-01-{id}.json").exists()
    assert [version["state"] for version in desk.show(id)["versions"]] == ["published", "corrected", "withdrawn"]


def test_hostile_words_are_words(desk: Desk) -> None:
    """Markup, script ends, templates, bidi and control characters of a claim or a title: shown as text or gone."""
    id = desk.draft(desk.decided(HOSTILE, claim_type=ClaimType.CANDIDATE_STATUS))
    desk.edit(id, lambda text: text.replace(": the facts", f": {HOSTILE}").replace("source: ", f"source: {HOSTILE}"))
    desk.approve(id)
    desk.publish()
    for path, page in _pages(desk).items():
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u001b\U000e0041]", page), path
        assert page.count("<script") == (0 if path == "index.html" else 1), path
        assert "<img" not in page
        if path != "index.html":
            (review,) = JsonLdExtractor().extract(page)
            assert "</script><script>alert(1)</script>" in review["claimReviewed"]
    shown = html.unescape(desk.file(f"en/2027-03-01-{id}.html"))
    assert "</script><script>alert(1)</script> <img src=x onerror=alert(2)> ]]>" in shown
    assert "{{ 7 * 7 }}" in shown


def test_pages_run_and_load_nothing(desk: Desk) -> None:
    """One policy for all: no script, no address but links; the style is the one whose hash the policy names."""
    desk.published()
    for path, page in _pages(desk).items():
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
        assert policy
        assert html.unescape(policy[1]).startswith("default-src 'none'; style-src 'sha256-"), path
        assert page.index("Content-Security-Policy") < page.index("<style>")
        assert not re.search(r"\s(src|style|on\w+)=|@import|url\(", page), path


def test_no_name_of_a_person_of_the_desk_is_public(desk: Desk) -> None:
    """Who wrote, approved and published stands in the audit, with what they answered for, and nowhere in the folder."""
    id = desk.draft(desk.decided(), who="Writer-Wong")
    desk.edit(id, lambda text: text.replace("the facts", "what is so"), who="Editor-Ed")
    desk.approve(id, "Approver-Au")
    desk.publish(who="Publisher-Poon")
    files = b"".join(path.read_bytes() for path in desk.site.rglob("*.*"))
    for name in ("Writer", "Editor", "Approver", "Publisher-", "maya"):
        assert name.encode() not in files
    with desk.store.read() as connection:
        entries = audit.listing(connection, subject=f"clarification:{id}")
        assert audit.verify(connection) is None
    assert [(entry["action"], entry["actor"]) for entry in entries] == [
        ("clarification.draft", "Writer-Wong"),
        ("clarification.edit", "Editor-Ed"),
        ("clarification.approve", "Approver-Au"),
        ("clarification.publish", "Publisher-Poon"),
    ]
    detail = entries[-1]["detail"]
    assert (detail["writers"], detail["approved_by"]) == (["Writer-Wong", "Editor-Ed"], "Approver-Au")
    assert detail["sha256"] == entries[-2]["detail"]["sha256"] != entries[0]["detail"]["sha256"]


def test_twice_is_once(desk: Desk) -> None:
    """The second call changes no file, no row and no entry; what somebody else changed in the folder is put right."""
    id = desk.published()
    release = desk.site.resolve()
    with desk.store.read() as connection:
        before = audit.head(connection)
    assert _later(desk, 5).publish().written == ()
    with desk.store.read() as connection:
        assert audit.head(connection) == before
    assert desk.site.resolve() == release
    page = desk.site / f"en/2027-03-01-{id}.html"
    page.unlink()
    page.write_text("defaced", encoding="utf-8")
    (desk.site / "extra.html").write_text("mine", encoding="utf-8")
    assert desk.publish().written == (f"en/2027-03-01-{id}.html", "extra.html")
    assert "defaced" not in desk.file(f"en/2027-03-01-{id}.html")
    assert not (desk.site / "extra.html").exists()


def test_nothing_is_published_of_an_alert_that_is_decided_otherwise(desk: Desk) -> None:
    """Of all that are approved it is left and named; asked for by its number it is refused, and nothing happens."""
    alert = desk.decided("票站改在碼頭，各位不要走錯", matches=["x"])
    good, stale = desk.draft(desk.decided()), desk.draft(alert)
    desk.approve(good)
    desk.approve(stale)
    queue.reopen(desk.store, desk.settings, "lead", desk.now, alert, "the office was asked again")
    with pytest.raises(RefusedError) as caught:
        desk.publish(good, stale)
    assert caught.value.reason == "not-ruled"
    assert not desk.site.exists()
    assert desk.show(good)["state"] == "approved"
    done = desk.publish()
    assert [row["id"] for row in done.published] == [good]
    assert len(done.problems) == 1
    assert f"alert {alert}" in done.problems[0]
    with pytest.raises(RefusedError, match="a second person"):
        desk.publish(good)


def test_a_folder_of_somebody_else_is_left_alone(desk: Desk) -> None:
    """Not empty and not ours, or a link elsewhere: refused before anything is published. An empty one is taken."""
    id = desk.draft(desk.decided())
    desk.approve(id)
    desk.site.mkdir()
    (desk.site / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not empty and not ours"):
        desk.publish()
    (desk.site / "thesis.txt").rename(desk.site.parent / "thesis.txt")
    assert desk.show(id)["state"] == "approved"
    assert desk.publish().published
    other = desk.site.parent / "other"
    other.symlink_to(desk.site.parent)
    with pytest.raises(InputError, match="a link to something else"):
        prepare(other, {"a": b""})


def test_a_disk_that_takes_nothing_publishes_nothing(desk: Desk) -> None:
    """The clarification stays approved, and the sentence names the folder."""
    id = desk.draft(desk.decided())
    desk.approve(id)
    blocked = desk.settings.publish.model_copy(update={"directory": Path("pollwatch.toml/site")})
    settings = desk.settings.model_copy(update={"publish": blocked})
    with pytest.raises(InputError, match="site: cannot be written"):
        Desk(desk.store, settings, desk.now).publish()
    assert desk.show(id)["state"] == "approved"


@pytest.mark.parametrize("key", ["base_url", "name_en", "name_zh"])
def test_what_pages_need_is_asked_for(desk: Desk, key: str) -> None:
    """Without an address or a name nothing is published, and the key is named."""
    lacking = desk.settings.model_copy(update={"publish": desk.settings.publish.model_copy(update={key: " "})})
    with pytest.raises(ConfigError, match=rf"publish\.{key}"):
        Desk(desk.store, lacking, desk.now).publish()


def test_nothing_published_is_no_site(desk: Desk) -> None:
    """Before the first clarification there is no folder: an index of nothing would need a date."""
    desk.draft(desk.decided())
    assert desk.publish().written == ()
    assert not desk.site.exists()


def test_every_verdict_has_its_words() -> None:
    """In English and both scripts, word and sentence; both languages of whatever else is said."""
    words = phrases.load()
    assert set(words.verdicts) == set(Verdict)
    for said in words.verdicts.values():
        assert all((*said.word.values(), *said.sentence.values()))
    assert words.pages["en"].keys() == words.pages["zh-Hant"].keys()  # type: ignore[index]  # a Lang is its word
    assert replace(words) == words
