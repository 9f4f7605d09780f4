"""[[receiver]] in routes.toml: what is wrong is named, what is secret is not; when a message is due; the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.backoff import retry_after
from alerts.cli import cli
from alerts.receivers import Kind, Receiver, address, due, wants
from alerts.routing import load_routes
from alerts.status import check_configuration, status
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store import Store
from tests.receiver import Inbox, receiver_server

SECRET = "json://desk:correct-horse@127.0.0.1/battery-staple"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiver_server() as found:
        yield found


def _write(folder: Path, toml: str) -> None:
    with (folder / "routes.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{toml}\n")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (
            f'[[receiver]]\nname = "desk"\nurl = "{SECRET}"',
            "addresses are secrets and do not belong here; use url_file",
        ),
        (f'[[receiver]]\nurl = "{SECRET}"', "addresses are secrets"),
        (f'[[receiver]]\nadress = "{SECRET}"', "Field required"),
        (f'[[receiver]]\nname = "desk"\nadress = "{SECRET}"', "receiver.0.adress: no such key"),
        (f'[[receiver]]\nname = "{SECRET}"', "receiver.0.name"),
        (f'[[receiver]]\nname = "desk"\nurl_file = ["{SECRET}"]', "receiver.0.url_file"),
        (f'[receiver]\nurl = "{SECRET}"', "receiver: Input should be"),
        ('[[receiver]]\nname = "desk"\nlang = "fr"', "receiver.0.lang"),
        ('[[receiver]]\nname = "desk"\nkinds = ["sacm"]', "receiver.0.kinds.0"),
        ('[[receiver]]\nname = "desk"\n[[receiver]]\nname = "desk"', "two receivers are called desk"),
        (f'[[receiver]]\nname = "desk"\nurl_file = "{SECRET[:5]}gone"', "receiver desk: url_file: cannot read"),
    ],
)
def test_a_wrong_receiver_is_named_and_its_secret_is_not(folder: Path, toml: str, words: str) -> None:
    """File, key and mend; never the address, wherever somebody may have put it."""
    _write(folder, toml)
    (problem,) = check_configuration(str(folder / "pollwatch.toml"))
    assert words in problem
    assert "routes.toml" in problem
    assert "horse" not in problem
    assert "battery" not in problem


@pytest.mark.parametrize(
    "found",
    [
        "",
        "nonsense://correct-horse",
        "correct-horse",
        "json://",
        f"{SECRET}?retry=2",
        f"{SECRET}?optional=yes",
        "tgram://123456789:abcdefg_hijklmnop/correct/horse",
    ],
)
def test_an_address_that_cannot_be_used_is_told_before_it_is_needed(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """Missing, unknown, or one of those that would send twice or call a failure a success; from both places."""
    _write(folder, '[[receiver]]\nname = "night-desk"\n[[receiver]]\nname = "lead"\nurl_file = "lead.url"')
    monkeypatch.setenv("POLLWATCH_RECEIVER_NIGHT_DESK", found)
    (folder / "lead.url").write_text(f"{found}\n", encoding="utf-8")
    first, second = check_configuration(str(folder / "pollwatch.toml"))
    assert "night-desk" in first
    assert "lead" in second
    for word in ("horse", "battery", "hijklmnop"):
        assert word not in first + second


def test_addresses_come_from_the_environment_or_a_file(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file wins where it is named; a file of two lines is not guessed at."""
    _write(folder, '[[receiver]]\nname = "night-desk"\n[[receiver]]\nname = "lead"\nurl_file = "lead.url"')
    monkeypatch.setenv("POLLWATCH_RECEIVER_NIGHT_DESK", "json://127.0.0.1/night")
    (folder / "lead.url").write_text("json://127.0.0.1/lead\n", encoding="utf-8")
    assert check_configuration(str(folder / "pollwatch.toml")) == []
    night, lead = load_routes(settings).receiver
    assert (address(night, settings), address(lead, settings)) == ("json://127.0.0.1/night", "json://127.0.0.1/lead")
    (folder / "lead.url").write_text("json://127.0.0.1/lead\njson://127.0.0.1/other\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="must hold one line"):
        address(lead, settings)


def test_a_team_to_which_no_route_leads_is_noted(folder: Path, store: Store, settings: Settings, now: datetime) -> None:
    """A typing error would keep a receiver silent for ever."""
    _write(folder, '[[receiver]]\nname = "desk"\nteams = ["desk-chinese", "dekc"]')
    notes = [note for note in status(store, settings, now)["notes"] if note.startswith("receiver")]
    assert notes == ["receiver desk is for team dekc, to which no route leads"]


def test_when_a_message_is_due(now: datetime) -> None:
    """The wait of a new group, the interval of a known one, and the hour that is full."""
    receiver = Receiver(name="desk", group_wait_s=30, group_interval_s=300, max_per_hour=2)

    def after(oldest: float, *made: float) -> float:
        instants = [now + timedelta(seconds=each) for each in made]
        return (due(receiver, now + timedelta(seconds=oldest), instants) - now).total_seconds()

    assert after(0) == 30
    assert after(0, -100) == 200
    assert after(0, -290) == 30
    assert after(0, -1000, -900) == 2600
    assert after(0, -1100, -1000, -900) == 2600
    assert after(0, -3500, -290) == 100


def test_who_wants_what() -> None:
    """Every team's by default; the least urgent that is told is `min_priority`."""
    everybody = Receiver(name="a")
    police = Receiver(name="b", teams=("police", "lead"), min_priority="P2", kinds=(Kind.NEW,))
    assert wants(everybody, Kind.EXPIRED, 4, ["desk"])
    assert wants(police, Kind.NEW, 2, ["desk", "police"])
    assert not wants(police, Kind.NEW, 3, ["police"])
    assert not wants(police, Kind.NEW, 1, ["desk"])
    assert not wants(police, Kind.RAISED, 1, ["police"])


def test_the_waits_between_attempts_grow_to_half_an_hour() -> None:
    """A broken server is asked again soon, then rarely; spread by a key, a quarter off either way, always the same."""
    assert [retry_after(n).total_seconds() for n in range(9)] == [30, 30, 60, 120, 240, 480, 960, 1800, 1800]
    spread = [retry_after(1, f"key {n}").total_seconds() for n in range(200)]
    assert min(spread) >= 22.5
    assert max(spread) <= 37.5
    assert max(spread) - min(spread) > 12
    assert retry_after(3, "key") == retry_after(3, "key") != retry_after(4, "key")


def test_by_line(folder: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """`notify test` sends one in the receiver's language, or says why not and exits 1; `notify list` shows them."""
    _write(folder, '[[receiver]]\nname = "desk"\nlang = "zh-Hant"\n[[receiver]]\nname = "lead"')
    monkeypatch.setenv("POLLWATCH_RECEIVER_DESK", inbox.address("desk"))
    monkeypatch.setenv("POLLWATCH_RECEIVER_LEAD", inbox.address("lead"))
    inbox.answers["lead"] = "404"
    base = ["-c", str(folder / "pollwatch.toml"), "notify"]
    runner = CliRunner()
    done = runner.invoke(cli, [*base, "test", "desk", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    (delivery,) = inbox.of("desk")
    assert (done.exit_code, told["sent"], told["key"][:16]) == (0, True, delivery.key)
    assert delivery.title.startswith("pollwatch：測試 (")
    failed = runner.invoke(cli, [*base, "test", "lead", "--json"])
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["problem"] == "receiver lead: its service answered with status 404"
    unknown = runner.invoke(cli, [*base, "test", "nobody"])
    assert str(unknown.exception) == "no receiver nobody: routes.toml names desk, lead"
    rows = [json.loads(line) for line in runner.invoke(cli, [*base, "list", "--json"]).stdout.splitlines()]
    assert [(row["name"], row["lang"], row["sent"], row["waiting"]) for row in rows] == [
        ("desk", "zh-Hant", 0, 0),
        ("lead", "en", 0, 0),
    ]
    assert "desk" in runner.invoke(cli, [*base, "list"]).stdout
