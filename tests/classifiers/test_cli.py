"""`classify` and `models` as people and scripts type them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from alerts.cli import cli
from classifiers import registry
from monitor.errors import ConfigError, InputError, MissingStoreError, NotFoundError, RefusedError
from monitor.store import Store, audit

KEYS = {"id", "lang", "label", "score", "flagged", "stance", "claim_type", "matches", "findings", "reasons", "model"}
LINES = [
    {"id": "a", "text": "選舉事務署通知：閣下登記失效，請即於 eso-verify.example 輸入驗證碼"},
    {
        "id": 2,
        "title": "Ferry adds <b>two</b> sailings",
        "summary": "<p>From June &amp; on Sundays</p>",
        "role": "media",
    },
    {
        "text": "Perry Man has withdrawn from Kingfisher Point",
        "lang": "en",
        "outlet": "x",
        "link": "https://a.example/",
    },
]


PROMISED = {"id", "created_at", "live", "metrics"}


def run(*arguments: str, text: str = "") -> Result:
    """The command line with ``text`` on stdin; errors come through as they are."""
    return CliRunner().invoke(cli, arguments, input=text, catch_exceptions=False, standalone_mode=False)


def rows(result: Result) -> list[dict[str, Any]]:
    """JSON Lines of an answer."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a configuration."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def desk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory as `init` writes it."""
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("empty")
def test_classify_without_a_configuration_judges_the_text_alone() -> None:
    """One line out for each in, in order, with the promised keys; the seeds' model; no name is known."""
    found = rows(run("classify", "--json", text="\n".join(json.dumps(line) for line in LINES)))
    assert [row["id"] for row in found] == ["a", 2, None]
    assert all(set(row) == KEYS for row in found)
    assert {row["model"] for row in found} == {registry.default_model()[0]}
    assert [row["lang"] for row in found] == ["zh-Hant", "en", "en"]
    assert (found[0]["label"], found[0]["flagged"]) == ("impersonation", True)
    assert (found[1]["label"], found[1]["flagged"]) == ("genuine", False)
    assert all(row["matches"] == [] and 0 <= row["score"] <= 1 for row in found)


def test_classify_with_a_configuration_knows_names_and_rules(desk: Path) -> None:
    """Watchlist and roster count; the store is not touched."""
    before = {path: path.read_bytes() for path in desk.glob("*.db")}
    (row,) = rows(run("classify", text=json.dumps(LINES[2])))
    assert row["matches"][0]["candidate_id"] == "man-pui-lam"
    assert row["findings"][0]["claim_type"] == row["claim_type"] == "candidate-status"
    assert {path: path.read_bytes() for path in desk.glob("*.db")} == before


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not JSON"),
        ('"text"', "not a JSON object"),
        ("{}", "needs `text`"),
        ('{"text": 1}', "`text` must be a text"),
        ('{"title": ["x"]}', "`title` must be a text"),
        ('{"text": "x", "lang": "fr"}', "`lang` must be one of en, zh-Hant, zh-Hans"),
        ('{"text": "x", "role": "blog"}', "`role` must be one of"),
        (r'{"text": "\udc00"}', "surrogate"),
    ],
)
def test_classify_names_a_malformed_line(line: str, fault: str) -> None:
    """The error, which the root turns into one sentence and exit 2, names the line."""
    with pytest.raises(InputError, match=rf", line 3: .*{fault}") as error:
        run("classify", "-", text=f'{{"text": "fine"}}\n\n{line}\n')
    assert error.value.exit_code == 2


@pytest.mark.usefixtures("empty")
def test_classify_of_nothing_is_nothing() -> None:
    """No line in, no line out, no error."""
    assert run("classify", text="\n").stdout == ""


def test_classify_keeps_order_over_batches_and_takes_a_byte_order_mark(empty: Path) -> None:
    """More lines than one batch, out of a file that Windows wrote."""
    file = empty / "tips.jsonl"
    file.write_text(
        "\ufeff" + "".join(json.dumps({"id": i, "text": f"notice {i}"}) + "\r\n" for i in range(450)), "utf-8"
    )
    assert [row["id"] for row in rows(run("classify", str(file)))] == list(range(450))


def test_classify_refuses_bytes_that_are_not_utf_8(empty: Path) -> None:
    """One sentence that names the file."""
    file = empty / "big5.jsonl"
    file.write_bytes(json.dumps({"text": "投票"}, ensure_ascii=False).encode("big5"))
    with pytest.raises(InputError, match="UTF-8"):
        run("classify", str(file))


@pytest.mark.usefixtures("empty")
def test_a_model_without_a_store_is_not_found() -> None:
    """Only the seeds' model can be named where there is no configuration."""
    own = registry.default_model()[0]
    assert rows(run("classify", "--model", own, text='{"text": "x"}'))[0]["model"] == own
    with pytest.raises(NotFoundError):
        run("classify", "--model", "reviewed-0", text='{"text": "x"}')


@pytest.mark.sqlite  # a database on a server is there before there is a store in it
def test_classify_works_before_there_is_a_store_unless_a_model_is_named(desk: Path) -> None:
    """The seeds' model stands in."""
    for path in desk.glob("*.db*"):
        path.unlink()
    assert rows(run("classify", text='{"text": "x"}'))[0]["model"] == registry.default_model()[0]
    with pytest.raises(MissingStoreError):
        run("classify", "--model", "m", text='{"text": "x"}')
    assert not list(desk.glob("*.db"))


def test_train_list_promote_show_and_roll_back(
    desk: Path, store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model trained on added labels is registered, listed, promoted, and then judges; its rows are listed; and back.

    Every change of the live model is in the audit, with who did it.
    """
    labels = desk / "own.jsonl"
    labels.write_text('{"text": "燈籠山票站改喺街市二樓", "label": "false-information"}\n', encoding="utf-8")
    (made,) = rows(run("models", "train", "--labels", str(labels), "--json"))
    assert {"id", "created_at", "live", "metrics"} <= set(made)
    assert not made["live"]
    assert rows(run("models", "list", "--json")) == [made]
    assert made["learned"]["labels"] == 1
    assert made["reasons"] == ["There is no live model that can be read, so there is nothing to compare with."]
    with pytest.raises(NotFoundError, match="run --once"):
        run("models", "show")
    before, _ = registry.live(store, now)
    monkeypatch.setenv("POLLWATCH_REVIEWER", "wing")
    (promoted,) = rows(run("models", "promote", made["id"], "--json"))
    why = ["wing made it live by hand.", *made["reasons"]]
    changed = {"live": True, "follows": before, "promoted_at": promoted["promoted_at"], "reasons": why}
    assert promoted == made | changed
    assert rows(run("models", "show", "--json")) == [promoted]
    assert rows(run("classify", text='{"text": "x"}'))[0]["model"] == made["id"]
    assert f"{made['id']} " in run("models", "list").stdout
    shown = run("models", "show", made["id"]).stdout
    for words in (made["id"], before, made["sha256"], "labels 1", "- wing made it live by hand.", "threshold 0.5"):
        assert words in shown
    data = rows(run("models", "show", "--data", "--json"))
    hidden = "\ue000" * 3 + "票站改喺街市二樓"  # no lesson holds a name
    assert [row["text"] for row in data if row["origin"] == "labels"] == [hidden]
    assert "票站改喺街市二樓" in run("models", "show", "--data").stdout
    (back,) = rows(run("models", "rollback", "--json"))
    assert (back["id"], back["live"]) == (before, True)
    with store.read() as connection:
        acts = [(entry["actor"], entry["action"], entry["subject"]) for entry in audit.listing(connection)]
    assert acts == [
        ("registry", "model.promote", f"model:{before}"),
        ("wing", "model.promote", f"model:{made['id']}"),
        ("wing", "model.rollback", f"model:{before}"),
    ]
    with pytest.raises(RefusedError):
        run("models", "rollback")


def test_every_command_of_models_gives_the_promised_keys(desk: Path) -> None:
    """`id, created_at, live, metrics`, from whichever of them; what is evaluated is said to be live or not."""
    labels = desk / "own.jsonl"
    labels.write_text('{"text": "燈籠山票站改喺街市二樓", "label": "false-information"}\n', encoding="utf-8")
    (first,) = rows(run("models", "train", "--json"))
    (second,) = rows(run("models", "train", "--labels", str(labels), "--json"))
    told = [first, second]
    told += rows(run("models", "promote", first["id"], "--json"))
    told += rows(run("models", "promote", second["id"], "--json"))
    told += rows(run("models", "rollback", "--json"))
    told += rows(run("models", "list", "--json"))
    told += rows(run("models", "show", "--json"))
    told += rows(run("models", "show", second["id"], "--json"))
    told += rows(run("models", "evaluate", str(labels), "--json"))
    told += rows(run("models", "evaluate", str(labels), "--model", second["id"], "--json"))
    for row in told:
        assert set(row) >= PROMISED
        assert isinstance(row["metrics"], dict)
        assert row["metrics"]
    live, other = told[-2:]
    assert (live["id"], live["live"], live["created_at"]) == (first["id"], True, first["created_at"])
    assert (other["id"], other["live"], other["created_at"]) == (second["id"], False, second["created_at"])


def test_evaluate_on_a_file(empty: Path) -> None:
    """`label` or `y`, one object or a table with both baselines."""
    file = empty / "labelled.jsonl"
    file.write_text(
        '{"text": "Type your code at kb-safe.example now", "y": 1}\n{"text": "Rain at noon", "y": 0}\n', "utf-8"
    )
    (figures,) = rows(run("models", "evaluate", str(file), "--json"))
    assert (figures["model"]["n"], figures["model"]["ap"]) == (2, 1.0)
    assert figures["metrics"] == figures["model"]
    assert (figures["id"], figures["created_at"], figures["live"]) == (registry.seed_id(), None, False)
    table = run("models", "evaluate", str(file)).stdout
    assert all(judge in table for judge in ("model", "baseline", "majority"))


def test_evaluate_writes_a_page_and_says_what_scores_mean(empty: Path) -> None:
    """The page stands beside the figures; one that cannot be written is an error that names the file."""
    file, page = empty / "labelled.jsonl", empty / "report.html"
    file.write_text('{"text": "Enter your PIN at kb-safe.example", "y": 1}\n{"text": "雨", "y": 0}\n', "utf-8")
    result = run("models", "evaluate", str(file), "--html", str(page))
    assert "no probability" in result.stdout
    assert str(page) in result.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(InputError, match=r"nowhere.*cannot be written"):
        run("models", "evaluate", str(file), "--html", str(empty / "nowhere" / "report.html"))


@pytest.mark.usefixtures("empty")
def test_evaluate_without_a_file_cross_validates_the_seeds() -> None:
    """The figures say how many were judged."""
    (figures,) = rows(run("models", "evaluate", "--json"))
    assert figures["model"]["n"] >= 400
    assert set(figures) >= PROMISED
    assert "stance_accuracy" in figures["model"]


@pytest.mark.usefixtures("empty")
def test_explain_shows_reasons_and_words_and_no_escapes() -> None:
    """The words that moved the score, most first; control characters never reach the terminal."""
    text = "URGENT \x1b[31myour account is closed, verify at kb-safe.example"
    (answer,) = rows(run("models", "explain", text, "--json"))
    weights = [abs(word["weight"]) for word in answer["words"]]
    assert weights == sorted(weights, reverse=True)
    shown = run("models", "explain", text).stdout
    assert "\x1b" not in shown
    assert "Words that speak for it" in shown


@pytest.mark.usefixtures("desk")
def test_watchlist_test_shows_names_and_findings() -> None:
    """A dry run of watchlist and rules: the words that match, and the line each finding rests on."""
    text = "Perry Man has withdrawn from the race. Ms Cheuk stays."
    answer = json.loads(run("watchlist", "test", text, "--json").stdout)
    assert answer["text"] == text
    assert [(match["candidate_id"], match["words"]) for match in answer["matches"]] == [("man-pui-lam", "Perry Man")]
    (finding,) = answer["findings"]
    assert finding["rule"] == "roster-status"
    assert finding["rests_on"] == "watchlist.toml: candidate man-pui-lam: status = validated"
    shown = run("watchlist", "test", text).stdout
    assert "Perry Man" in shown
    assert "roster-status" in shown


@pytest.mark.usefixtures("desk")
def test_watchlist_test_of_an_ordinary_text_says_so() -> None:
    """Nothing on stdout for a person, empty lists for a machine; a hostile text cannot steer the terminal."""
    result = run("watchlist", "test", "The ferry \x1b[31mleaves\u202e at noon")
    assert result.stdout == ""
    assert "no watched name" in result.stderr
    assert "no rule finds anything" in result.stderr
    assert json.loads(run("watchlist", "test", "", "--json").stdout) == {"text": "", "matches": [], "findings": []}


def test_watchlist_test_knows_the_link_and_the_day(desk: Path) -> None:
    """A false page is told by its address; a status by the day in the election's zone."""
    link = json.loads(run("watchlist", "test", "Hello", "--link", "https://eso-harb0ur.example/", "--json").stdout)
    assert [finding["rule"] for finding in link["findings"]] == ["lookalike-domain"]
    file = desk / "watchlist.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace('status = "validated"', 'status = "withdrawn"\nstatus_since = 2027-02-20'), encoding="utf-8"
    )
    words = ("watchlist", "test", "Perry Man is a candidate in Kingfisher Point", "--json", "--on")
    assert json.loads(run(*words, "2027-02-19").stdout)["findings"] == []
    assert json.loads(run(*words, "2027-02-20").stdout)["findings"][0]["rule"] == "roster-status"
    with pytest.raises(click.BadParameter, match="not a time"):
        run(*words, "soon")


@pytest.mark.usefixtures("empty")
def test_watchlist_test_needs_a_configuration() -> None:
    """Without one there is nothing to try."""
    with pytest.raises(ConfigError):
        run("watchlist", "test", "Perry Man")
