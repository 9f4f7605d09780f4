"""What people, teams and rules are called: in the reader's language, and by what the files have where they have it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.cli import cli
from alerts.naming import Naming, actor, load_naming
from monitor import language
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.language import render
from monitor.types import Lang, Said

NAMES = """
[names.zh-Hant]
desk = "夜更組"
firm-finding = "有實據"
"""


def test_a_reason_names_people_as_the_reader_does(settings: Settings) -> None:
    """By id, as earlier programs kept it, by the Chinese or by the Latin name; whoever is not listed stays."""
    naming = load_naming(settings)
    said = Said(
        "Names {names}.", {"names": ["cheuk-mong-ching", "卓望晴", "Vivian Cheuk", "electoral-services-office", "路人"]}
    )
    assert render(naming.told(said)) == (
        "Names Vivian Cheuk, Vivian Cheuk, Vivian Cheuk, Electoral Services Office and 路人."
    )
    with language.speaking(Lang.HANT):
        assert render(naming.told(said)) == "提到卓望晴、卓望晴、卓望晴、選舉事務署及路人。"


def test_quoted_words_are_nobodys_name(settings: Settings) -> None:
    """What an outlet wrote stays as it wrote it, even where it is a name; so does a reviewer called as a team is."""
    said = Said("“{word}”", {"word": "卓望晴"})
    assert load_naming(settings).told(said) == said
    said = Said("the lease of {holder} ran out", {"holder": "desk"})
    with language.speaking(Lang.HANT):
        assert load_naming(settings).told(said) == said


def test_teams_and_rules_are_called_as_routes_toml_says(settings: Settings) -> None:
    """The starter's have Chinese names; the file's own replace them, and what it does not name keeps its name."""
    said = Said("opened it as {priority} for team {route}", {"priority": "P1", "route": "desk"})
    with language.speaking(Lang.HANT):
        naming = load_naming(settings)
        assert [naming.team(name) for name in ("desk", "police-liaison", "low-score", "elsewhere")] == [
            "值勤組",
            "警務聯絡組",
            "低分",
            "elsewhere",
        ]
        routes = settings.path(settings.files.routes)
        routes.write_text(routes.read_text("utf-8").split("[names.")[0] + NAMES, "utf-8")
        naming = load_naming(settings)
        assert [naming.team(name) for name in ("desk", "firm-finding", "low-score")] == [
            "夜更組",
            "有實據",
            "low-score",
        ]
        assert render(naming.told(said)) == "開立，P1，交 夜更組"
    assert render(naming.told(said)) == "opened it as P1 for team desk"
    routes.write_text(routes.read_text("utf-8").replace("names.zh-Hant", "names.klingon"), "utf-8")
    with pytest.raises(ConfigError, match=r"names\.klingon"):
        load_naming(settings)


def test_a_file_from_before_has_the_shipped_names(settings: Settings) -> None:
    """Nobody has to write them into a file that is there."""
    routes = settings.path(settings.files.routes)
    routes.write_text(routes.read_text("utf-8").split("[names.")[0], "utf-8")
    with language.speaking(Lang.HANT):
        assert load_naming(settings).team("desk") == "值勤組"


def test_stages_are_named_and_people_are_not() -> None:
    """Who did what, in the history."""
    with language.speaking(Lang.HANT):
        assert [actor(name) for name in ("dispatch", "clock", "maya")] == ["自動派發", "時限", "maya"]
    assert actor("dispatch") == "dispatch"
    assert Naming().person("maya") == "maya"


def test_a_rehearsal_speaks_the_readers_language(folder: Path) -> None:
    """`routes test`: teams, the lead, the phase and why a step follows; for scripts all stays as the files have it."""
    words = ("routes", "test", "claim_type=scam-lure", "lang=zh-Hant")
    file = ("-c", str(folder / "pollwatch.toml"))
    said = CliRunner().invoke(cli, [*file, "--language", "zh-Hant", *words]).stdout
    assert "負責：警務聯絡組" in said
    assert "提名期前" in said.splitlines()[0]
    assert "分鐘內無人接手：通知 警務聯絡組, 主管" in said
    row = json.loads(CliRunner().invoke(cli, [*file, "--language", "zh-Hant", *words, "--json"]).stdout)
    assert (row["teams"], row["phase"]) == (["police-liaison"], "before")
