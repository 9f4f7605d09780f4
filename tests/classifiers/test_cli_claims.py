"""`claims match` as people and scripts type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import update

from monitor.errors import InputError
from monitor.store import Store
from monitor.store.schema import assessments, feeds
from tests.classifiers.test_cli import rows, run
from tests.grouping import Row, fill

CLAIM = "Ballot boxes from the Heron Street hall were carried out at night and counted twice in the fish market"
CORPUS: list[dict[str, Any]] = [
    {"claim_id": "boxes", "text": CLAIM},
    {
        "id": 7,
        "title": "渡輪<b>拒載</b>乘客？",
        "summary": "<p>渡輪公司將拒載未能證明自己曾投票支持碼頭方案的乘客。</p>",
    },
    {"id": "tower", "text": "It was locked.", "title": "Was the clock tower of Saffron Square locked?"},
]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a corpus and without a configuration."""
    monkeypatch.chdir(tmp_path)
    lines = "\n".join(json.dumps(row) for row in CORPUS)
    (tmp_path / "corpus.jsonl").write_text("\ufeff" + lines, encoding="utf-8")
    return tmp_path


def ask(*texts: dict[str, Any]) -> str:
    """JSON Lines."""
    return "\n".join(json.dumps(text) for text in texts)


@pytest.mark.usefixtures("empty")
def test_one_line_out_for_each_in_best_first() -> None:
    """Order, ids and promised keys; numbers and texts as ids; HTML in titles is read as text."""
    asked = ask(
        {"id": 1, "text": CLAIM + "!"},
        {"title": "渡輪公司<i>拒載</i>無投票支持碼頭方案嘅乘客", "summary": ""},
        {"id": "x", "text": "Saffron Square clock tower"},
        {"id": "none", "text": "…"},
    )
    found = rows(run("claims", "match", "--corpus", "corpus.jsonl", "--json", text=asked))
    assert [row["id"] for row in found] == [1, None, "x", "none"]
    best = [row["matches"][0] for row in found[:3]]
    assert [match["claim_id"] for match in best] == ["boxes", "7", "tower"]
    assert set(best[0]) == {"claim_id", "text", "similarity", "kind", "verdict", "url"}
    assert best[0]["text"] == CLAIM
    assert best[0]["kind"] == "confirmed"
    assert best[2]["kind"] == "suggested"
    assert all(0 <= match["similarity"] <= 1 for match in best)
    assert found[3]["matches"] == []


@pytest.mark.usefixtures("empty")
def test_without_corpus_and_configuration_nothing_is_known() -> None:
    """An empty list, and a word on stderr why."""
    result = run("claims", "match", text=ask({"text": CLAIM}))
    assert rows(result) == [{"id": None, "matches": []}]
    assert "no claims are known yet" in result.stderr


def test_the_store_is_the_corpus(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an official feed refuted is found, and names of the watchlist cross languages."""
    monkeypatch.chdir(folder)
    fill(store, [Row("Not so: Perry Man has not withdrawn from Kingfisher Point"), Row("Rain at noon")])
    with store.write() as connection:
        connection.execute(update(feeds).values(role="official"))
        connection.execute(update(assessments).values(stance="refutes"))
    (answer,) = rows(run("claims", "match", text=ask({"text": "文沛霖退出翠鳥角選舉"})))
    assert [match["claim_id"] for match in answer["matches"]] == ["item-1"]


def test_a_folder_without_a_store_knows_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first upgrade, and no store is made."""
    monkeypatch.chdir(folder)
    for path in folder.glob("*.db*"):
        path.unlink()
    assert rows(run("claims", "match", text=ask({"text": CLAIM})))[0]["matches"] == []
    assert not list(folder.glob("*.db"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text": "x"}', "needs `claim_id` or `id`"),
        ('{"id": true, "text": "x"}', "needs `claim_id` or `id`"),
        ('{"id": ["x"], "text": "x"}', "needs `claim_id` or `id`"),
        ('{"id": "x"}', "needs `text`"),
        ('{"id": "x", "text": 1}', "`text` must be a text"),
        ('{"id": "x", "text": "x", "title": 1}', "`title` must be a text"),
        ("[", "not JSON"),
    ],
)
def test_a_wrong_corpus_line_is_named(empty: Path, line: str, fault: str) -> None:
    """File, line and mend."""
    (empty / "wrong.jsonl").write_text(f'{{"id": 1, "text": "fine"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError, match=rf"wrong.jsonl, line 2: .*{fault}"):
        run("claims", "match", "--corpus", "wrong.jsonl", text='{"text": "x"}')


@pytest.mark.usefixtures("empty")
def test_wrong_questions_are_named() -> None:
    """A line without text; one stream for both files."""
    with pytest.raises(InputError, match="line 2: needs `text`"):
        run("claims", "match", "--corpus", "corpus.jsonl", text='{"text": "x"}\n{}')
    with pytest.raises(click.UsageError, match="standard input"):
        run("claims", "match", "--corpus", "-", text='{"text": "x"}')


def test_a_corpus_that_is_not_utf_8_is_named(empty: Path) -> None:
    """One sentence that names the file."""
    (empty / "big5.jsonl").write_bytes('{"id": 1, "text": "投票"}'.encode("big5"))
    with pytest.raises(InputError, match=r"big5.jsonl: not UTF-8"):
        run("claims", "match", "--corpus", "big5.jsonl", text='{"text": "x"}')
