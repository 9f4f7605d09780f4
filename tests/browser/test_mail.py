"""The digest as it is received: sent to a real server, parsed back, and shown as a mail program shows it."""

from __future__ import annotations

import contextlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from alerts import digest
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import open_store
from tests.alerts.mornings import busy_morning
from tests.browser.looking import Scheme, look, opened
from tests.smtp import shown, smtp_server

MORNING = datetime(2027, 3, 1, 0, 0, 5, tzinfo=UTC)
WIDTHS = (360, 600)  # of a telephone, of a reading pane
TOML = """
[digest]
receivers = ["lead@harbour.example", {{ address = "ps@harbour.example", lang = "zh-Hant" }}]
sender = "desk@harbour.example"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
"""

_LINES = """all => all.map(each => {
  const words = document.createRange();
  words.selectNodeContents(each);
  return [each.innerText, words.getClientRects().length];
})"""


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, Path]:
    """The mails of a morning on which everything has happened, as files by language."""
    folder = tmp_path_factory.mktemp("mail")
    write_starter(folder)
    shutil.copy(empty_store, folder / "pollwatch.db")
    with smtp_server(folder) as mailbox:
        (folder / "pollwatch.toml").write_text(TOML.format(port=mailbox.port), encoding="utf-8")
        settings = load_file(folder / "pollwatch.toml")
        with contextlib.closing(open_store(settings.database_url)) as store:
            busy_morning(store, MORNING)
            digest.digest(store, settings, MORNING)
        mails = {str(message["Content-Language"]): shown(message) for message in mailbox.parsed()}
    found = {lang: folder / f"{lang}.html" for lang in mails}
    for lang, html in mails.items():
        found[lang].write_text(html, encoding="utf-8")
    return found


@pytest.fixture
def browsers(received: dict[str, Path], browser: Browser) -> Browser:
    """The browser, once the server has gone: both want the event loop."""
    assert set(received) == {"en", "zh-Hant"}
    return browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh-Hant"])
def test_the_mail_is_fit_to_be_read(received: dict[str, Path], browsers: Browser, lang: str, scheme: Scheme) -> None:
    """On a telephone and in a reading pane, by day and by night: no sideways scroll, nothing that axe finds, nothing
    fetched, every picture there, and no word of a table's head broken in two."""
    with opened(browsers) as seen:
        look(seen, received[lang].as_uri(), scheme, WIDTHS)
        assert seen.page.get_attribute("html", "lang") == lang
        assert "cid:" not in received[lang].read_text(encoding="utf-8")
        widths = seen.page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
        assert all(widths)
        seen.page.set_viewport_size({"width": 360, "height": 900})
        for words, lines in seen.page.eval_on_selector_all("th", _LINES):
            assert lines <= len(words.split()) or lang != "en", words
