"""The daily mail: over real SMTP, once a day and receiver, whatever dies in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts import digest, mail
from alerts.cli import cli
from monitor.config import Settings
from monitor.errors import ConfigError, FeedError, FeedErrorKind, InputError, MailError
from monitor.store import Store, audit, notices
from monitor.store import feeds as feed_rows
from monitor.types import Role
from tests.smtp import LOGIN, Mailbox, smtp_server

# The test server cannot see that its whole connection is encrypted when it speaks TLS from the first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

Configure = Callable[[str], Settings]
RECEIVERS = ["lead@harbour.example", "陳組長 <night@harbour.example>"]
MORNING = datetime(2027, 3, 1, 0, 0, 5, tzinfo=UTC)  # 08:00:05 in Hong Kong


def _toml(mailbox: Mailbox, security: str = "none") -> str:
    lines = [
        "[digest]",
        f"receivers = {json.dumps(RECEIVERS, ensure_ascii=False)}",
        'sender = "pollwatch <desk@harbour.example>"',
        "[smtp]",
        'host = "127.0.0.1"',
        f"port = {mailbox.port}",
        f'security = "{security}"',
        "timeout_s = 10",
    ]
    if security != "none":
        lines += [f'username = "{LOGIN[0]}"', f'ca_file = "{mailbox.ca_file}"']
    return "\n".join(lines) + "\n"


def test_nothing_is_sent_before_its_time(store: Store, configure: Configure, tmp_path: Path) -> None:
    """A minute before eight is not eight."""
    with smtp_server(tmp_path) as mailbox:
        report = digest.digest(store, configure(_toml(mailbox)), MORNING - timedelta(minutes=1))
        assert report.counts == {"date": None, "queued": 0, "sent": 0}
        assert mailbox.messages == []


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_one_mail_a_day_and_receiver(
    store: Store, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """Encrypted and logged in as configured; ticking again sends nothing; the next day sends again."""
    monkeypatch.setenv("POLLWATCH_SMTP__PASSWORD", LOGIN[1])
    with smtp_server(tmp_path, security) as mailbox:
        settings = configure(_toml(mailbox, security))
        for minutes in range(4):
            digest.digest(store, settings, MORNING + timedelta(minutes=minutes))
        assert sorted(mailbox.receivers) == ["lead@harbour.example", "night@harbour.example"]
        digest.digest(store, settings, MORNING + timedelta(days=1))
        assert len(mailbox.messages) == 4
        assert len(set(mailbox.ids())) == 4


def test_it_says_the_same_in_text_and_html_when_nothing_happened(
    store: Store, configure: Configure, tmp_path: Path
) -> None:
    """Silence must not look like a fault, nor a fault like silence."""
    with smtp_server(tmp_path) as mailbox:
        settings = configure(_toml(mailbox))
        digest.digest(store, settings, MORNING)
        message = mailbox.parsed()[0]
    assert message["Subject"] == "pollwatch digest 2027-03-01: nothing to decide: no feed is watched"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert text is not None
    assert html is not None
    for words in (
        "othing to decide",
        "Nothing is waiting",
        "No decision in this period",
        "not covered",
        "nothing was looked at",
    ):
        assert words.lower() in text.get_content().lower()
        assert words.lower() in html.get_content().lower()


def test_hostile_words_stay_words(store: Store, configure: Configure, tmp_path: Path) -> None:
    """Markup, header breaks and terminal escapes from an outlet's name do nothing in the mail."""
    with store.write() as connection:
        feed, _ = feed_rows.add(
            connection,
            "https://evil.example/feed",
            MORNING,
            outlet="<script>alert(1)</script>\x1b[31m\r\nBcc: x@y.example",
            role=Role.MEDIA,
        )
        error = FeedError(feed.url, FeedErrorKind.HTML, "a <b>web page</b>\x1b[31m")
        feed_rows.record_failure(connection, feed.id, MORNING, MORNING, error, strikes=1)
    with smtp_server(tmp_path) as mailbox:
        digest.digest(store, configure(_toml(mailbox)), MORNING)
        message = mailbox.parsed()[0]
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()
    assert "web page</b>" not in html.get_content()
    assert b"\x1b" not in mailbox.messages[0]
    assert message["Bcc"] is None


def test_a_refused_receiver_is_tried_again_and_harms_nobody(store: Store, configure: Configure, tmp_path: Path) -> None:
    """4xx today, accepted later: one copy; the other receiver has his at once."""
    with smtp_server(tmp_path) as mailbox:
        settings = configure(_toml(mailbox))
        mailbox.refuse["lead@harbour.example"] = "451 try again later"
        report = digest.digest(store, settings, MORNING)
        assert mailbox.receivers == ["night@harbour.example"]
        assert report.problems == ("mail to lead@harbour.example: 451 try again later",)
        mailbox.refuse.clear()
        assert digest.digest(store, settings, MORNING + timedelta(seconds=10)).counts["sent"] == 0
        assert digest.digest(store, settings, MORNING + timedelta(seconds=40)).counts["sent"] == 1
        assert mailbox.receivers == ["night@harbour.example", "lead@harbour.example"]


def test_a_dead_server_keeps_the_mail_for_later(store: Store, configure: Configure, tmp_path: Path) -> None:
    """Nothing is lost while the server is away, and the store says so."""
    with smtp_server(tmp_path) as mailbox:
        away = configure(_toml(mailbox))
    report = digest.digest(store, away, MORNING)
    assert len(report.problems) == 1
    assert "cannot be used" in report.problems[0]
    with store.read() as connection:
        assert [n.attempts for n in notices.waiting(connection, "digest")] == [1, 1]
    with smtp_server(tmp_path) as mailbox:
        digest.digest(store, configure(_toml(mailbox)), MORNING + timedelta(hours=1))
        assert len(mailbox.messages) == 2


def test_a_stranger_with_a_certificate_gets_no_password(
    store: Store, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate must be signed by whom we trust; the error never holds the password."""
    monkeypatch.setenv("POLLWATCH_SMTP__PASSWORD", LOGIN[1])
    with smtp_server(tmp_path, "starttls") as mailbox:
        toml = "\n".join(line for line in _toml(mailbox, "starttls").splitlines() if not line.startswith("ca_file"))
        with pytest.raises(MailError) as caught, mail.connect(configure(toml)):
            pass
        assert "certificate" in str(caught.value)
        assert LOGIN[1] not in str(caught.value)
        monkeypatch.setenv("POLLWATCH_SMTP__PASSWORD", "wrong horse")
        with pytest.raises(MailError, match="535"), mail.connect(configure(_toml(mailbox, "starttls"))):
            pass
        with (
            pytest.raises(ConfigError, match=r"smtp\.ca_file"),
            mail.connect(configure(_toml(mailbox, "starttls").replace("ca.pem", "none.pem"))),
        ):
            pass


def test_the_period_starts_where_the_last_one_stopped(store: Store, configure: Configure, tmp_path: Path) -> None:
    """A morning that was missed is covered by the next mail; a month of silence by its last seven days."""
    with smtp_server(tmp_path) as mailbox:
        settings = configure(_toml(mailbox))
        digest.digest(store, settings, MORNING)
    later = MORNING + timedelta(days=30)
    eight = datetime(2027, 3, 1, tzinfo=UTC)
    assert digest.period(store, settings, date(2027, 3, 2), later) == (MORNING, eight + timedelta(days=1))
    assert digest.period(store, settings, date(2027, 3, 4), later) == (MORNING, eight + timedelta(days=3))
    assert digest.period(store, settings, date(2027, 3, 31), later) == (later - timedelta(days=7), later)


def test_a_receiver_added_later_makes_no_hole_for_the_others(
    store: Store, configure: Configure, tmp_path: Path
) -> None:
    """All get the same period, and tomorrow's starts for all where it ended."""
    with smtp_server(tmp_path) as mailbox:
        both = _toml(mailbox)
        digest.digest(
            store, configure(both.replace(json.dumps(RECEIVERS, ensure_ascii=False), '["a@b.example"]')), MORNING
        )
        settings = configure(both)
        digest.digest(store, settings, MORNING + timedelta(hours=7))
        assert len(mailbox.messages) == 3
    tomorrow = MORNING + timedelta(days=1)
    assert digest.period(store, settings, date(2027, 3, 2), tomorrow) == (MORNING, tomorrow)


def test_asked_for_by_hand_it_covers_what_there_is_so_far(store: Store, settings: Settings) -> None:
    """At noon and at six in the morning alike; the first digest of all starts a day before its time."""
    for moment in (MORNING + timedelta(hours=4), MORNING - timedelta(hours=2)):
        yesterday = datetime(2027, 2, 28, tzinfo=UTC)
        assert digest.period(store, settings, date(2027, 3, 1), moment) == (yesterday, moment)


def test_clock_changes_and_leap_days_send_once(store: Store, configure: Configure, tmp_path: Path) -> None:
    """Every half hour through both odd nights and a leap day, at a time that is missing in one and comes twice in the
    other: one Message-ID for each date and receiver of either language, none missing, no copy."""
    both = '["lead@harbour.example", { address = "ps@harbour.example", lang = "zh-Hant" }]'
    with smtp_server(tmp_path) as mailbox:
        toml = _toml(mailbox).replace(json.dumps(RECEIVERS, ensure_ascii=False), both)
        toml = toml.replace("[digest]", "[digest]\ntime = 01:30:00") + '[election]\ntimezone = "Europe/Dublin"\n'
        settings = configure(toml)
        spring, autumn, leap = date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29)
        for odd in (spring, autumn, leap):
            moment = settings.calendar.day_bounds(odd - timedelta(days=1))[0]
            while moment < settings.calendar.day_bounds(odd + timedelta(days=1))[1]:
                digest.digest(store, settings, moment)
                moment += timedelta(minutes=30)
        mails = mailbox.parsed()
        sent = sorted((str(mail["To"]), str(mail["Message-ID"]).split(".")[1]) for mail in mails)
    days = [odd + timedelta(days=off) for odd in (spring, autumn, leap) for off in (-1, 0, 1)]
    receivers = ("lead@harbour.example", "ps@harbour.example")
    assert sent == [(receiver, day.isoformat()) for receiver in receivers for day in days]
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    assert {(mail["To"], mail["Content-Language"]) for mail in mails} == {
        (receivers[0], "en"),
        (receivers[1], "zh-Hant"),
    }


def test_the_head_of_the_audit_stands_in_every_mail(
    store: Store, configure: Configure, tmp_path: Path, now: datetime
) -> None:
    """In both parts: who rewrites the chain later cannot rewrite the mails that were sent."""
    with store.write() as connection:
        for n in range(3):
            audit.append(connection, now, "maya", "alert.take", f"alert:{n}", {})
        seq, head = audit.head(connection)
    with smtp_server(tmp_path) as mailbox:
        digest.digest(store, configure(_toml(mailbox)), MORNING)
        mails = mailbox.parsed()
    assert len(mails) == len(RECEIVERS)
    for mail_ in mails:
        for kind in ("plain", "html"):
            part = mail_.get_body((kind,))
            assert part is not None
            assert f"Audit entry {seq}" in part.get_content()
            assert head in part.get_content()


def test_a_day_to_come_is_refused(store: Store, settings: Settings, now: datetime) -> None:
    """A digest of tomorrow would be a guess."""
    with pytest.raises(InputError, match="has not come"):
        digest.compose(store, settings, date(2027, 3, 2), now)


def test_by_line(folder: Path, configure: Configure, tmp_path: Path) -> None:
    """`digest` prints, `--out` writes a mail that parses, `--send` sends once and says what it skipped."""
    runner = CliRunner()
    out = tmp_path / "look.eml"
    with smtp_server(tmp_path) as mailbox:
        configure(_toml(mailbox))
        base = ["-c", str(folder / "pollwatch.toml"), "digest"]
        shown = runner.invoke(cli, base, catch_exceptions=False)
        assert "TO DECIDE TODAY" in shown.stdout
        written = runner.invoke(cli, [*base, "--out", str(out), "--json"], catch_exceptions=False)
        assert json.loads(written.stdout)["sent"] == []
        assert b"Message-ID: <digest." in out.read_bytes()
        first = json.loads(runner.invoke(cli, [*base, "--send", "--json"], catch_exceptions=False).stdout)
        again = json.loads(runner.invoke(cli, [*base, "--send", "--json"], catch_exceptions=False).stdout)
        assert (first["sent"], first["skipped"]) == (RECEIVERS, [])
        assert (again["sent"], again["skipped"]) == ([], RECEIVERS)
        assert len(mailbox.messages) == 2
    away = runner.invoke(cli, [*base, "--send", "--json", "--date", "2026-10-01"])
    assert away.exit_code == 1
    report = json.loads(away.stdout)
    assert (report["sent"], report["failed"], report["skipped"]) == ([], RECEIVERS, [])
    assert set(first) >= {"date", "receivers", "sent", "skipped", "sections"}
