"""The script of a drill: JSON Lines that say what each feed serves from which instant on, and what is planted in it.

The first line is the header; every other line changes what one feed serves. Instants are ISO 8601; without an offset
they are local to the header's zone. ``README.md`` names every key.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor import seeds
from monitor.config import validate
from monitor.errors import ConfigError, InputError
from monitor.fields import Zone
from monitor.types import ClaimType, Lang, Role

MOST_BYTES = 200_000_000  # of an unpacked script
LONGEST_LINE = 20_000_000
LONGEST = timedelta(days=31)
_SHIPPED = ".jsonl.gz"
SLOWEST, FASTEST = 0.01, 10_000.0  # speeds


def _near(instant: datetime) -> datetime:
    if not 2000 <= instant.year <= 2100:  # the ends of the calendar have no neighbours to compare with
        raise ValueError("not between the years 2000 and 2100")
    return instant


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
Key = Annotated[str, Field(pattern=r"^[a-z_]+$")]
Instant = Annotated[datetime, AfterValidator(_near)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedEntry(_Part):
    """One feed of the drill."""

    feed: Slug
    outlet: Text
    role: Role = Role.MEDIA
    lang: Lang = Lang.EN
    format: Literal["rss2", "rss1", "atom"] = "rss2"


class Model(_Part):
    """Scripted reviewers: how many, their median times, how widely those spread, how often they err.

    Times are log-normal; ``spread`` is the standard deviation of their logarithm, 0 for always the same.
    """

    number: int = Field(3, ge=1, le=40)
    take_s: float = Field(20.0, ge=0, le=86_400)
    decide_s: float = Field(120.0, ge=0, le=86_400)
    spread: float = Field(0.5, ge=0, le=2)
    error: float = Field(0.05, ge=0, le=1)


class Plant(_Part):
    """What an item is known to be: a falsehood of this claim type, or another wording or copy of one with its id."""

    id: Slug
    claim_type: ClaimType
    candidate: Slug | None = None


class StoryEntry(_Part):
    """One item as a feed gives it."""

    guid: Text
    title: Text
    summary: str = Field("", max_length=100_000)
    link: str | None = None
    published: Instant | None = None
    plant: Plant | None = None
    refutes: Slug | None = None  # the id of a plant

    def link_of(self, feed: str) -> str:
        """Where the item leads; without a link of its own, to an address of its feed."""
        return self.link or f"https://{feed}.example/{quote(self.guid)}"


class Change(_Part):
    """What one feed serves differently from ``at`` on."""

    at: Instant
    feed: Slug
    add: tuple[StoryEntry, ...] = ()  # one with a guid that is listed already takes its place: an edit
    remove: tuple[str, ...] = ()
    outage: Literal["500", "503", "timeout", "html", ""] | None = None  # "" ends it
    body: str | None = None  # a recorded state, instead of items
    file: Path | None = None  # the same, as a file beside the script
    plants: Mapping[str, Plant] = {}  # by guid, of a recorded state


class Header(_Part):
    """The first line."""

    drill: Annotated[str, Field(min_length=1, max_length=200)]
    zone: Zone = "Asia/Hong_Kong"
    start: Instant
    end: Instant | None = None  # default: an hour after the last change
    feeds: tuple[FeedEntry, ...] = Field(min_length=1, max_length=200)
    listed: int = Field(60, ge=1, le=1000)  # how many items a feed lists at most, the newest
    pass_s: int = Field(120, ge=10, le=3600)  # between two looks at full speed
    watchlist: Path | None = None  # files beside the script; default: the starter's
    facts: Path | None = None
    election: Mapping[Key, str] = {}  # as the section of that name in pollwatch.toml
    reviewers: Model = Model()


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script, its instants aware and in order."""

    file: Path
    header: Header
    start: datetime
    end: datetime
    changes: tuple[Change, ...]
    plants: Mapping[str, Plant]  # by id, in the order of their first item
    claims: Mapping[tuple[str, str], str]  # plant by feed and guid
    refutations: Mapping[tuple[str, str], str]  # the same
    stories: frozenset[tuple[str, str]]  # items that are ever served, by feed and guid
    links: Mapping[tuple[str, str], str]  # their guids, by feed and link

    @property
    def zone(self) -> ZoneInfo:
        """Of local times."""
        return ZoneInfo(self.header.zone)

    def named(self, feed: str, guid: str | None, link: str | None) -> tuple[str, str]:
        """Feed and guid of a collected item as the script has them; RSS 1.0 knows an item by its link alone."""
        key = (feed, guid or "")
        return key if key in self.stories or key in self.claims else (feed, self.links.get((feed, link or ""), key[1]))

    def beside(self, name: Path) -> Path:
        """A file that the script names. Raises InputError for one that is not beside it."""
        if name.is_absolute() or ".." in name.parts:
            raise InputError(str(self.file), f"names {name}; files of a drill lie beside it")
        return self.file.parent / name

    def moved(self, begin: datetime, speed: float) -> Script:
        """The same day begun at ``begin`` and passing ``speed`` times as fast: every instant is another.

        The dates of nomination are left out: at such a pace they mean nothing. Raises InputError for other dates that
        are none.
        """

        def then(instant: datetime) -> datetime:
            return begin + (instant - self.start) / speed

        changes = tuple(_mapped(change, then) for change in self.changes)
        instants = ("polling_opens", "polling_closes", "count_ends")
        try:
            election = {
                key: then(_aware(datetime.fromisoformat(value), self.zone)).isoformat()
                for key, value in self.header.election.items()
                if key in instants
            }
        except ValueError as error:
            raise InputError(f"{self.file}: election", f"{error}; write 2027-03-14T08:30:00") from None
        names = {key: value for key, value in self.header.election.items() if key == "name"}
        header = self.header.model_copy(update={"election": {**names, **election}})
        return replace(self, header=header, changes=changes, start=then(self.start), end=then(self.end))


def shipped() -> dict[str, Path]:
    """The drills that come with the program, by name."""
    files = (seeds.folder() / "drills").glob(f"*{_SHIPPED}")
    return {file.name.removesuffix(_SHIPPED): file for file in sorted(files)}


def read_script(file: Path) -> Script:
    """Read and check a script, plain or .gz. Raises InputError naming file, line and mend."""
    lines = _lines(file)
    number, first = next(lines, (1, ""))
    header: Header = _checked(Header, first, f"{file}:{number}")
    zone = ZoneInfo(header.zone)
    start = _aware(header.start, zone)
    known = [feed.feed for feed in header.feeds]
    if len(set(known)) < len(known):
        raise InputError(f"{file}:{number}", "names a feed twice")
    book, before = _Book(), start
    for number, line in lines:
        where = f"{file}:{number}"
        change: Change = _checked(Change, line, where)
        change = _mapped(change, lambda instant: _aware(instant, zone))
        if change.feed not in known:
            raise InputError(where, f"there is no feed {change.feed}; the header has {', '.join(known[:8])}")
        if change.at < before:
            raise InputError(where, f"{change.at.isoformat()} comes before the line above or the start; sort the lines")
        before = change.at
        book.enter(change, where)
    missing = sorted(set(book.refutations.values()) - set(book.plants))
    if missing:
        raise InputError(str(file), f"refutes {missing[0]}, which is not planted")
    end = _aware(header.end, zone) if header.end else before + timedelta(hours=1)
    if end < before:
        raise InputError(str(file), f"the end, {end.isoformat()}, comes before the last line")
    if end - start > LONGEST:
        raise InputError(str(file), f"lasts more than {LONGEST.days} days; cut it in parts")
    parts = book.plants, book.claims, book.refutations, frozenset(book.stories), book.links
    return Script(file, header, start, end, tuple(book.changes), *parts)


def read_report(file: Path) -> dict[str, Any] | None:
    """The report of a drill, if ``file`` is one: a JSON object on one line, as `drill --json` prints it."""
    _, first = next(_lines(file), (1, ""))
    try:
        found = json.loads(first)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(found, dict) and {"from", "to", "zone", "queue"} <= found.keys()
    return found if whole else None


class _Book:
    """What the lines read so far amount to."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.plants: dict[str, Plant] = {}
        self.claims: dict[tuple[str, str], str] = {}
        self.refutations: dict[tuple[str, str], str] = {}
        self.stories: set[tuple[str, str]] = set()
        self.links: dict[tuple[str, str], str] = {}

    def enter(self, change: Change, where: str) -> None:
        self.changes.append(change)
        for story in change.add:
            self.stories.add((change.feed, story.guid))
            self.links[change.feed, story.link_of(change.feed)] = story.guid
            if story.refutes:
                self.refutations[change.feed, story.guid] = story.refutes
        planted = [(story.guid, story.plant) for story in change.add if story.plant]
        for guid, plant in [*planted, *change.plants.items()]:
            first = self.plants.setdefault(plant.id, plant)
            if first.claim_type != plant.claim_type:
                raise InputError(where, f"plant {plant.id} was {first.claim_type} before; one id is one claim")
            self.claims[change.feed, guid] = plant.id


def parse_model(base: Model, spec: str | None) -> Model | None:
    """The reviewers that ``--reviewers`` asks for: ``people`` and ``none`` give None, a number that many.

    Else ``key=value`` pairs with commas, which replace those of ``base``. Raises InputError.
    """
    if spec is None:
        return base
    if spec in ("people", "none"):
        return None
    pairs = [pair.partition("=") for pair in (f"number={spec}" if spec.isdecimal() else spec).split(",")]
    given = {key.strip(): value.strip() for key, _, value in pairs}
    try:
        model: Model = validate(Model, {**base.model_dump(), **given}, "--reviewers")
    except ConfigError as error:
        keys = ", ".join(Model.model_fields)
        words = f"{error.key}: {error.mend}; write people, none, 3, or {keys} as key=value"
        raise InputError("--reviewers", words) from None
    return model


def parse_speed(text: str) -> float | None:
    """How many times as fast as real: None for ``max``. Raises InputError."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise InputError("--speed", f"{text} is none; write max, or a number from {SLOWEST} to {FASTEST:.0f}")
    return speed


def settings_data(script: Script, speed: float | None) -> dict[str, dict[str, Any]]:
    """The configuration of a drill's folder: a store of its own, nobody told.

    At full speed (None) feeds are fetched one after the other, so that the same script gives the same store. At a pace
    one that does not answer keeps the others waiting no longer than it would in the day itself.
    """
    fetch = {"concurrency": 1, "timeout_s": 10} if speed is None else {"timeout_s": max(10 / max(speed, 1), 2)}
    return {
        "database": {"url": "sqlite:///pollwatch.db"},
        "fetch": {"allow_private": ["127.0.0.0/8"], **fetch},
        "election": {**script.header.election, "timezone": script.header.zone},
        "evidence": {"enabled": False},
    }


def _mapped(change: Change, then: Callable[[datetime], datetime]) -> Change:
    add = tuple(
        story.model_copy(update={"published": then(story.published)}) if story.published else story
        for story in change.add
    )
    return change.model_copy(update={"at": then(change.at), "add": add})


def _aware(instant: datetime, zone: ZoneInfo) -> datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _checked(model: type[BaseModel], line: str, where: str) -> Any:
    try:
        data = json.loads(line)
        json.dumps(data, ensure_ascii=False).encode()  # half a character cannot be served
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise InputError(where, "is no JSON object of whole characters; a drill has one on every line")
    try:
        return validate(model, data, where)
    except ConfigError as error:
        raise InputError(where, f"{error.key}: {error.mend}") from None


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank."""
    total = 0
    try:
        with file.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            stream: BufferedReader | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if packed else raw
            number = 0
            while line := stream.readline(LONGEST_LINE):
                number, total = number + 1, total + len(line)
                if total > MOST_BYTES or len(line) == LONGEST_LINE:
                    raise InputError(f"{file}:{number}", f"is longer than {MOST_BYTES:,} bytes; cut it in parts")
                if line.strip():
                    yield number, line.decode()
    except UnicodeDecodeError as error:
        raise InputError(str(file), "is not UTF-8; save it so") from error
    except (OSError, EOFError, zlib.error) as error:
        words = getattr(error, "strerror", None) or "is no sound .gz file"
        raise InputError(str(file), f"cannot be read: {words}") from error
