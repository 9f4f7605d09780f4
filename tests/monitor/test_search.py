"""Search over items and their earlier texts: what is found, in which order, and what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from monitor.cli.base import Context
from monitor.cli.items import items as items_command
from monitor.config import Settings
from monitor.errors import InputError, NotFoundError
from monitor.search import index, search
from monitor.store import Store, schema, texts
from monitor.types import TextKind
from tests.monitor.searching import fill_block, found, publish, rewrite

Run = Callable[..., Result]


@pytest.fixture(params=["read through", "by postings", "by postings, many"])
def settle(
    request: pytest.FixtureRequest, store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], object]:
    """Index what was published: every promise holds of texts with postings and without."""
    if request.param == "by postings, many":
        monkeypatch.setattr("monitor.store.search._MANY_TEXTS", 1)
    if request.param != "read through":
        return lambda: fill_block(store, settings, now)
    return lambda: index(store, settings, now)


def test_both_scripts_all_words_and_phrases(store: Store, now: datetime, settle: Callable[[], object]) -> None:
    """繁 finds 简 and full-width half-width; words are AND in any order, phrases in this one."""
    publish(
        store, now, "投票站ＡＢＣ提早關閉", "投票站abc提早关闭", "A polling station closed early", "Station polling"
    )
    settle()
    assert found(store, "關閉 abc") == found(store, "关闭 ＡＢＣ") == ["投票站abc提早关闭", "投票站ＡＢＣ提早關閉"]
    assert found(store, "station polling") == ["Station polling", "A polling station closed early"]
    assert found(store, '"polling station"') == ["A polling station closed early"]
    assert found(store, "stat clos") == ["A polling station closed early"]
    assert found(store, "投票 station") == found(store, "nowhere") == found(store, "olling") == []


@pytest.mark.parametrize("many", [1, 128])
def test_phrases_of_common_words(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Where the first word is common its pairs lead to the texts, where it is not the words do: the same is found."""
    monkeypatch.setattr("monitor.postings.MANY", many)
    titles = ["the of a poll", "of the poll", "the offer", "THE　OF", "a of the", "the, of", "of a the", "投票 the of"]
    publish(store, now, *titles)
    fill_block(store, settings, now)
    assert found(store, '"the of"') == ["投票 the of", "THE　OF", "the offer", "the of a poll"]
    assert found(store, '"the of a"') == ["the of a poll"]
    assert found(store, '"of a"') == ["of a the", "the of a poll"]
    assert found(store, '"a of"') == ["a of the"]
    assert found(store, '"the, of"') == ["the, of"]
    assert found(store, '"the the"') == found(store, '"poll of"') == []


def test_a_phrase_that_stands_nowhere_is_not_looked_for_in_every_text(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two words that every text has lead to none where they never stand together."""
    monkeypatch.setattr("monitor.postings.MANY", 3)
    publish(store, now, *(f"harbour of the {number}" for number in range(5)))
    fill_block(store, settings, now)
    looked_at: list[int] = []
    monkeypatch.setattr(
        "monitor.store.search._read_found",
        lambda _connection, _query, numbers, _top: looked_at.extend(n for block in numbers for n in block) or (),
    )
    assert search(store, '"the harbour"') == []
    assert looked_at == []
    search(store, '"of the"')
    assert len(looked_at) == 5


def test_signs_of_query_languages_are_plain_text(store: Store, now: datetime, settle: Callable[[], object]) -> None:
    """Neither wildcards nor operators nor an injection."""
    publish(
        store, now, "Turnout 100% by_noon", "Turnout 100x by-noon", "OR NOT NEAR elections", "it''s; DROP TABLE texts"
    )
    settle()
    assert found(store, "100%") == found(store, "by_noon") == ["Turnout 100% by_noon"]
    assert found(store, "NOT NEAR") == ["OR NOT NEAR elections"]
    assert found(store, "elect*") == found(store, "nowhere OR elections") == []
    assert found(store, "it''s; DROP TABLE texts") == ["it''s; DROP TABLE texts"]


def test_the_newest_first_page_by_page(store: Store, now: datetime, settle: Callable[[], object]) -> None:
    """Each page follows the one before it, also when something was published meanwhile."""
    titles = [f"選舉消息 {number}" for number in range(7)]
    publish(store, now, *titles)
    settle()
    pages, before = [], None
    while hits := search(store, "選舉", limit=3, before=before):
        pages += [hit.title for hit in hits]
        before = hits[-1].number
    assert pages == titles[::-1]


@pytest.mark.parametrize("many", [1, 1000])
def test_the_newest_first_over_many_blocks(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """With and without postings in between, few and many of a block, and with whole blocks gone."""
    monkeypatch.setattr("monitor.store.search._READ", 3)
    monkeypatch.setattr("monitor.store.search._MANY_TEXTS", many)
    titles: list[str] = []
    ids: list[int] = []
    for block in range(6):
        new = [f"選舉 {block}-{number}" for number in range(1 + block % 3)]
        titles += new
        ids += publish(store, now + timedelta(days=block), *new)
        fill_block(store, settings, now)
    titles += ["選舉 last"]
    publish(store, now + timedelta(days=9), "選舉 last")
    index(store, settings, now)
    assert found(store, "選舉") == titles[::-1]
    assert found(store, "選舉", limit=4, before=search(store, "選舉")[3].number) == titles[::-1][4:8]
    assert found(store, "選舉", since=now + timedelta(days=4)) == titles[:-7:-1]
    with store.write() as connection:
        texts.forget(connection, [ids[3], ids[6]])
        connection.execute(delete(schema.items).where(schema.items.c.id.in_([ids[3], ids[6]])))
    left = [title for title in titles if title not in (titles[3], titles[6])]
    assert found(store, "選舉") == left[::-1]
    index(store, settings, now)
    assert found(store, "選舉") == left[::-1]


def test_filters(store: Store, settings: Settings, now: datetime, settle: Callable[[], object]) -> None:
    """By feed, by time and by what it is; an earlier text is shown as the item read then."""
    first, second = publish(store, now, "渡輪停航", "渡輪復航")
    (other,) = publish(store, now + timedelta(hours=2), "渡輪加班", feed="b")
    settle()
    rewrite(store, second, "渡輪仍然停航", now + timedelta(hours=3))
    index(store, settings, now)
    assert found(store, "渡輪") == ["渡輪仍然停航", "渡輪加班", "渡輪復航", "渡輪停航"]
    assert found(store, "渡輪", kind=TextKind.ITEM) == ["渡輪仍然停航", "渡輪加班", "渡輪停航"]
    assert found(store, "渡輪", kind=TextKind.REVISION) == ["渡輪復航"]
    assert found(store, "渡輪", kind=TextKind.NOTE) == found(store, "渡輪", kind=TextKind.DECISION) == []
    assert found(store, "渡輪", feed_ids=[2]) == ["渡輪加班"]
    assert found(store, "渡輪", feed_ids=[]) == []
    assert found(store, "渡輪", since=now + timedelta(hours=1)) == ["渡輪仍然停航", "渡輪加班"]
    (hit,) = search(store, "復航")
    assert (hit.kind, hit.item_id, hit.at, hit.outlet) == (
        TextKind.REVISION,
        second,
        now + timedelta(minutes=1),
        "Outlet a",
    )
    assert hit.item is not None
    assert (hit.item.title, hit.title, hit.excerpt, hit.alert_id) == ("渡輪仍然停航", "渡輪復航", "", None)
    assert {first, second, other} == {hit.item_id for hit in search(store, "渡輪")}


def test_what_is_found_is_read_as_stored(store: Store, settings: Settings, now: datetime) -> None:
    """A long text shows the place; the words of the summary count; nothing of the folded form is shown."""
    publish(store, now, "標題", summary="甲" * 500 + "有人說「點票ＯＫ」" + "乙" * 500)
    index(store, settings, now)
    (hit,) = search(store, "点票ok")
    assert "「點票ＯＫ」" in hit.excerpt
    assert len(hit.excerpt) < 130


def test_the_excerpt_says_what_the_title_does_not(store: Store, settings: Settings, now: datetime) -> None:
    """Many feeds repeat the title at the beginning of the text; a longer word that begins as it is left whole."""
    publish(store, now, "碼頭停電", summary="碼頭停電　港務處說已經修好。")
    publish(store, now, "Pier", summary="Piers were closed at noon.")
    publish(store, now, "Harbour office denies it", summary="Harbour office denies it: nobody was asked to pay.")
    index(store, settings, now)
    assert [search(store, words)[0].excerpt for words in ("碼頭", "pier", "denies")] == [
        "港務處說已經修好。",
        "Piers were closed at noon.",
        "nobody was asked to pay.",
    ]


@pytest.fixture
def run(folder: Path, store: Store) -> Run:
    """Run `pollwatch items …` in the working folder."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(items_command, arguments, obj=Context(str(folder / "pollwatch.toml")))

    return invoke


def test_by_line(run: Run, store: Store, settings: Settings, now: datetime) -> None:
    """The keys of `items list` and what was found; a table that no feed can steer; faults in a sentence."""
    (item_id, *_) = publish(store, now, "投票站 \x1b[31m\u202e關閉", *(f"投票 {number}" for number in range(3)))
    index(store, settings, now)
    (row,) = map(json.loads, run("search", "關閉", "投票站", "--json").stdout.splitlines())
    listed = json.loads(run("list", "--json").stdout.splitlines()[-1])
    assert row.items() >= listed.items()
    assert (row["id"], row["kind"], row["alert_id"], row["number"]) == (item_id, "item", None, 0)
    shown = run("search", "投票", "--limit", "2")
    assert "--before 2" in shown.stderr
    assert "\x1b" not in run("search", "投票").stdout
    assert len(run("search", "投票", "--before", "2", "--json").stdout.splitlines()) == 2
    assert run("search", "nothing").stderr == "nothing found\n"
    assert len(run("search", "投票", "--outlet", "Outlet a", "--feed", "1", "--json").stdout.splitlines()) == 4
    assert isinstance(run("search", "投票", "--outlet", "Nobody").exception, NotFoundError)
    assert isinstance(run("search", "投票", "--feed", "9").exception, NotFoundError)
    assert isinstance(run("search", "法").exception, InputError)
    assert run("search").exit_code == 2
    assert json.loads(run("reindex", "--json").stdout) == {"texts": 4}
    assert "4 texts" in run("reindex").stdout
