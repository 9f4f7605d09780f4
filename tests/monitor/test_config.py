"""The configuration: precedence, paths, and faults that name file, key and mend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config import Settings, load, load_file
from monitor.errors import ConfigError

Configure = Callable[[str], Settings]


@pytest.mark.sqlite  # the URL of a server is not relative to anything
def test_a_relative_database_starts_at_the_file(folder: Path) -> None:
    """`init DIR` and nothing more gives a folder that works from anywhere."""
    assert load_file(folder / "pollwatch.toml").database_url == f"sqlite:///{folder / 'pollwatch.db'}"


def test_the_environment_wins(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every key can come from the environment, lists as JSON, and neighbours in the same table stay."""
    monkeypatch.setenv("POLLWATCH_DATABASE__URL", "sqlite:////elsewhere/x.db")
    monkeypatch.setenv("POLLWATCH_FETCH__ALLOW_PRIVATE", '["127.0.0.0/8"]')
    settings = configure("[fetch]\ntimeout_s = 7\nallow_private = []\n")
    assert settings.database_url == "sqlite:////elsewhere/x.db"
    assert settings.fetch.allow_private == ("127.0.0.0/8",)
    assert settings.fetch.timeout_s == 7


@pytest.mark.parametrize(
    ("toml", "key", "mend"),
    [
        ("[fetch]\ntimeot_s = 3\n", "fetch.timeot_s", "no such key; did you mean fetch.timeout_s?"),
        ("[nonsense]\na = 1\n", "nonsense", "no such key"),
        ("[fetch]\ntimeout_s = -1\n", "fetch.timeout_s", "greater than 0"),
        ('[fetch]\nallow_private = ["localhost"]\n', "fetch.allow_private.0", "not a network"),
        ('[election]\ntimezone = "Hong Kong"\n', "election.timezone", "not a time zone"),
        ('[election]\ntimezone = "../../etc/passwd"\n', "election.timezone", "not a time zone"),
        (
            "[election]\npolling_opens = 2027-03-14T22:00:00\npolling_closes = 2027-03-14T08:00:00\n",
            "election",
            "in this order",
        ),
        (
            '[digest]\nreceivers = ["a@example.org\\nBcc: b@example.org"]\n',
            "digest.receivers.0.address",
            "not a mail address",
        ),
        ('[digest]\nreceivers = ["nobody"]\n', "digest.receivers.0.address", "not a mail address"),
        ('[smtp]\nhost = "mail.example.org"\nsecurity = "none"\n', "smtp", "loopback"),
        ('[smtp]\npassword = "hunter2"\n', "smtp.password", "secrets do not belong here"),
        ('folder = "/"\n', "folder", "no such key"),
        ("[digest]\ntime = 25:00:00\n", "", "not TOML"),
    ],
)
def test_a_fault_names_its_key_and_the_mend(configure: Configure, folder: Path, toml: str, key: str, mend: str) -> None:
    """One sentence: file, key, mend."""
    with pytest.raises(ConfigError) as caught:
        configure(toml)
    assert str(folder / "pollwatch.toml") in str(caught.value)
    assert caught.value.key == key
    assert mend in caught.value.mend


def test_a_fault_in_the_environment_names_the_variable(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator looks where the value came from."""
    monkeypatch.setenv("POLLWATCH_TRIAGE__LEASE_MINUTES", "soon")
    with pytest.raises(ConfigError, match="POLLWATCH_TRIAGE__LEASE_MINUTES"):
        configure("")


def test_an_environment_list_must_be_json(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list written by hand is the usual slip."""
    monkeypatch.setenv("POLLWATCH_FETCH__ALLOW_PRIVATE", "127.0.0.0/8")
    with pytest.raises(ConfigError, match="POLLWATCH_FETCH__ALLOW_PRIVATE: not JSON"):
        configure("")


@pytest.mark.parametrize(
    "name", ["POLLWATCH_FETHC__TIMEOUT_S", "POLLWATCH_FETCH_TIMEOUT_S", "POLLWATCH_FOLDER", "POLLWATCH_SMTP"]
)
def test_a_misspelt_variable_is_no_secret(configure: Configure, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It is named, and what it held is not shown."""
    monkeypatch.setenv(name, '{"password": 12345}')
    with pytest.raises(ConfigError, match=f"{name}: no such key") as caught:
        configure("")
    assert "12345" not in str(caught.value)


def test_no_file_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder the answer is `pollwatch init`."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="pollwatch init"):
        load(None)
    with pytest.raises(ConfigError, match="no such file"):
        load("elsewhere.toml")


def test_secrets_come_from_the_environment_or_a_file_and_never_print(
    configure: Configure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dump of the settings shows no password."""
    monkeypatch.setenv("POLLWATCH_SMTP__PASSWORD", "open sesame")
    settings = configure("")
    assert settings.smtp_password == "open sesame"
    assert "sesame" not in repr(settings)
    assert "sesame" not in settings.model_dump_json()
    (folder / "secret").write_text("from a file\n", encoding="utf-8")
    assert configure('[smtp]\npassword_file = "secret"\n').smtp_password == "from a file"
    with pytest.raises(ConfigError, match=r"smtp\.password_file"):
        _ = configure('[smtp]\npassword_file = "missing"\n').smtp_password


@pytest.mark.parametrize(
    "url", ["watch.example", "ftp://a.example", "https://u:p@a.example", "https://a.example/?x", "https://選.example"]
)
def test_a_public_address_that_hubs_could_not_call_is_refused(configure: Callable[[str], Settings], url: str) -> None:
    """With the key, and an address that would do."""
    with pytest.raises(ConfigError, match=r"web\.public_url.*https://watch\.example\.org"):
        configure(f'[web]\npublic_url = "{url}"')


def test_the_web_is_served_where_its_section_is_there(
    configure: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the file, be it empty, or in the environment."""
    assert not configure("").serves_web
    assert configure("[web]").serves_web
    assert configure('[web]\npublic_url = "https://a.example/watch/"').web.public_url == "https://a.example/watch"
    monkeypatch.setenv("POLLWATCH_WEB__PORT", "9")
    assert configure("").serves_web
