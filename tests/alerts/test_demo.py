"""`demo`: the whole program, with one command, in an empty folder and without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from alerts import demo
from monitor import seeds
from monitor.parse import parse

CLI = [sys.executable, "-m", "alerts"]
NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)


def test_the_demo_shows_planted_items_with_reasons(tmp_path: Path) -> None:
    """Most of what was planted is in the queue, with reasons; little else; folder, store and digest are left."""
    done = subprocess.run([*CLI, "demo", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    shown = json.loads(done.stdout)
    assert shown["detected"] >= 0.6 * shown["planted"]
    assert shown["false_alarms"] <= 6
    assert all(row["reasons"] for row in shown["alerts"])
    assert any(row["matches"] for row in shown["alerts"])
    assert any(row["items"] > 1 for row in shown["alerts"])
    folder = tmp_path / "pollwatch-demo"
    message = message_from_bytes((folder / "digest.eml").read_bytes(), policy=default)
    assert "to decide" in str(message["Subject"])
    listed = subprocess.run([*CLI, "alerts", "list", "--json"], cwd=folder, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == len(shown["alerts"])


def test_a_second_demo_takes_another_folder(tmp_path: Path) -> None:
    """Nothing is overwritten. What is printed is in the reader's language, and gives a reason once, though rule and
    score both rest on it.
    """
    (tmp_path / "pollwatch-demo").mkdir()
    (tmp_path / "pollwatch-demo" / "mine.txt").write_text("mine", encoding="utf-8")
    words = [*CLI, "--language", "zh-Hant", "demo"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "日報存於 pollwatch-demo-2/digest.eml" in done.stderr
    assert done.stdout.split()[:4] == ["編號", "緩急", "分數", "類型"]
    (row,) = [line for line in done.stdout.splitlines() if "改咗做2號" in line]
    assert "候選人編號" in row
    assert row.count("文中說池曉嵐是 2 號") == 1
    assert [p.name for p in (tmp_path / "pollwatch-demo").iterdir()] == ["mine.txt"]


def test_the_sample_feeds_are_sound_feeds() -> None:
    """Six or more, in three formats and two languages, 120 items or more, dated before now; the parser agrees."""
    documents, rows = demo.sample_documents(NOW)
    parsed = {slug: parse(body, f"http://127.0.0.1/{slug}", "application/xml") for slug, body in documents.items()}
    assert len(documents) >= 6
    assert len(rows) >= 120
    assert {p.version for p in parsed.values()} == {"rss20", "atom10", "rss10"}
    assert sum(len(p.entries) for p in parsed.values()) == len(rows)
    for document in parsed.values():
        assert document.warning is None
        assert all(e.published_at is not None and e.published_at < NOW for e in document.entries)
    assert {f["lang"] for f in seeds.toml("demo/feeds.toml")["feed"]} >= {"en", "zh-Hant"}


def _grams(text: str) -> set[str]:
    return {text[i : i + 8] for i in range(len(text) - 7)}


def test_no_sentence_of_the_demo_stands_in_the_training_examples() -> None:
    """Otherwise the demo would show memory, not judgement."""
    examples = [_grams(row["text"]) for row in seeds.json_lines("examples.jsonl")]
    for row in seeds.json_lines("demo/items.jsonl"):
        grams = _grams(f"{row['title']} {row['summary']}")
        overlap = max(len(grams & other) / max(1, len(grams)) for other in examples)
        assert overlap < 0.25, row["title"]


@pytest.mark.parametrize("key", ["label", "stance", "claim_type", "note"])
def test_every_planted_item_says_what_it_is(key: str) -> None:
    """The demo's own account of itself can be checked."""
    planted = [row["planted"] for row in seeds.json_lines("demo/items.jsonl") if row["planted"]]
    assert len([p for p in planted if p["label"] != "genuine"]) >= 12
    assert all(key in p for p in planted)
