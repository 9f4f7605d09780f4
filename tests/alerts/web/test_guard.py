"""Who may read the pages: loopback by default, a secret anywhere else, and nobody under a name that is not ours."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alerts.web.guard import Guard, is_loopback
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store import Store
from tests.alerts.web.desk import served

TOKEN = "a-long-enough-token-密"
PAGES = ("/", "/incidents", "/feeds", "/candidates", "/model", "/silences", "/audit", "/metrics")

Configure = Callable[[str], Settings]


def _asked(address: str, **headers: str) -> int:
    """The status of a GET with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=named), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.read()
        asks = str(error.headers["WWW-Authenticate"] or "").startswith("Basic ")
        return error.code if asks == (error.code == 401) else 0


def _basic(password: str, user: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def open_site(store: Store, configure: Configure) -> Iterator[str]:
    """On loopback, as a fresh folder has it."""
    with served(store, configure("[web]\nport = 0")) as address:
        yield address


def test_loopback_is_open_to_its_own_names_alone(open_site: str) -> None:
    """By number and by name, with and without a port; a name that somebody else's page made up gets nothing."""
    for host in ("127.0.0.1", "localhost:1", "LOCALHOST.", "[::1]:8080"):
        assert _asked(f"{open_site}/audit", Host=host) == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[", "8.8.8.8"):
        assert _asked(f"{open_site}/audit", Host=host) in (400, 421), host
        assert _asked(f"{open_site}/metrics", Host=host) in (400, 421), host


def test_what_monitors_and_feed_readers_ask_stays_open(open_site: str) -> None:
    """Health, and the feed for the public, under whatever name; there is none before something was published."""
    assert _asked(f"{open_site}/healthz", Host="watch.example") == 503
    assert _asked(f"{open_site}/clarifications.xml", Host="watch.example") == 404


def test_a_proxy_on_this_machine_does_not_open_the_pages(open_site: str) -> None:
    """What it passes on comes from loopback; without a secret it is refused all the same."""
    for header in ("X_Forwarded_For", "Forwarded", "Via"):
        assert _asked(f"{open_site}/", **{header: "for=192.0.2.1"}) == 401


def test_a_token_is_wanted_wherever_one_is_set(
    store: Store, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the password of Basic or as Bearer, all of it; and then the public name is a name of ours."""
    monkeypatch.setenv("POLLWATCH_WEB__TOKEN", TOKEN)
    with served(store, configure('[web]\nport = 0\npublic_url = "https://Watch.example.org/"')) as address:
        for path in PAGES:
            assert _asked(address + path) == 401, path
        wrong = (TOKEN[:-1], f"{TOKEN}x", "", TOKEN.upper())
        for given in (*(_basic(each) for each in wrong), "Basic !", "Basic", "Bearer", "Digest x", "Basic /w=="):
            assert _asked(f"{address}/audit", Authorization=given) == 401, given
        assert _asked(f"{address}/audit", Authorization=_basic(TOKEN, "anybody")) == 200
        bearer = f"Bearer {TOKEN}".encode().decode("latin-1")
        assert _asked(f"{address}/metrics", Authorization=bearer, Host="watch.example.org") == 200
        assert _asked(f"{address}/healthz") == 503


def test_a_proxys_header_must_say_the_secret(
    store: Store, configure: Configure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret may lie in a file; another value, another header, no header: nothing."""
    (folder / "secret").write_text("the-proxy-says-so\n", encoding="utf-8")
    settings = configure('[web]\nport = 0\nproxy_header = "X-Desk"\nproxy_secret_file = "secret"')
    with served(store, settings) as address:
        assert _asked(f"{address}/audit", X_Desk="the-proxy-says-so", X_Forwarded_For="192.0.2.1") == 200
        for headers in ({}, {"X_Desk": "the-proxy-says"}, {"X_Desk": ""}, {"X_Other": "the-proxy-says-so"}):
            assert _asked(f"{address}/audit", **headers) == 401


@pytest.mark.parametrize(
    ("lines", "environment", "key"),
    [
        ('host = "0.0.0.0"', {}, "web.host"),
        ('host = "::"', {}, "web.host"),
        ('host = "desk.example"', {}, "web.host"),
        ('host = "0.0.0.0"', {"TOKEN": "short"}, "web.token"),
        ('proxy_header = "X-Desk"', {}, "web.proxy_header"),
        ("", {"PROXY_SECRET": "without-a-header-name"}, "web.proxy_header"),
        ('token_file = "none"', {}, "web.token_file"),
        ('token_file = "empty"', {}, "web.token_file"),
    ],
)
def test_what_would_let_in_anybody_does_not_start(
    configure: Configure,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    lines: str,
    environment: dict[str, str],
    key: str,
) -> None:
    """A sentence with the key, before anything listens."""
    (folder / "empty").write_text("\n", encoding="utf-8")
    for name, value in environment.items():
        monkeypatch.setenv(f"POLLWATCH_WEB__{name}", value)
    with pytest.raises(ConfigError) as caught:
        Guard.of(configure(f"[web]\n{lines}"))
    assert caught.value.key == key


def test_any_bind_is_fine_with_a_secret(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the token itself never stands in the configuration."""
    monkeypatch.setenv("POLLWATCH_WEB__TOKEN", TOKEN)
    assert Guard.of(configure('[web]\nhost = "0.0.0.0"')).token == TOKEN
    with pytest.raises(ConfigError, match="secrets do not belong here; use POLLWATCH_WEB__TOKEN or token_file"):
        configure(f'[web]\ntoken = "{TOKEN}"')


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("::", False)]
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    """By number or by its name; anything else can be reached from outside."""
    assert is_loopback(host) is loopback
