"""What the desk asks the store: the only place that reads. Every function may wait, and is called in a thread."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from alerts import queue
from monitor.config import Settings
from monitor.errors import MissingStoreError
from monitor.reference import load_watchlist
from monitor.store import Store, alert_list, alert_order, audit
from monitor.store.alert_order import Wanted
from monitor.text import HAN, fold
from monitor.types import AlertState, Lang

LONGEST = 100_000  # alerts that a desk lists
FOUND = 200  # hits of one search


@dataclass(frozen=True, slots=True)
class Filter:
    """What the queue screen shows: what the store chooses by, and words that must stand in the title."""

    wanted: Wanted = field(default_factory=Wanted)
    words: str = ""

    @property
    def is_on(self) -> bool:
        """Whether anything is left out that waits for a person."""
        return bool(self.words) or replace(self.wanted, reviewer="") != Wanted()


@dataclass(frozen=True, slots=True)
class Order:
    """The alerts of a filter, the most urgent first, as the store held them at ``head``."""

    ids: tuple[int, ...]
    head: int  # number of the newest audit entry
    total: int  # more than there are ids, when the list was cut at LONGEST


def head(store: Store) -> int:
    """Changes with every act on any alert: the number of the newest audit entry. Raises StoreError."""
    _is_there(store)
    with store.read() as connection:
        return audit.head(connection)[0]


def order(store: Store, chosen: Filter, now: datetime) -> Order:
    """Which alerts there are. Raises StoreError."""
    with store.read() as connection:
        newest = audit.head(connection)[0]
        found = alert_order.order(connection, chosen.wanted, now, LONGEST)
        total = alert_order.count(connection, chosen.wanted, now) if len(found) == LONGEST else len(found)
    if chosen.words:
        words = fold(chosen.words).split()
        found = [(id, title) for id, title in found if _stands(words, id, title)]
        total = len(found)
    return Order(tuple(id for id, _ in found), newest, total)


def rows(store: Store, ids: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    """Rows of `alerts list`; of an alert that is gone there is none. Raises StoreError."""
    with store.read() as connection:
        return alert_list.rows(connection, ids, now)


def find(store: Store, alert_id: int, now: datetime) -> dict[str, Any]:
    """The row of one alert. Raises NotFoundError, StoreError."""
    with store.read() as connection:
        return alert_list.row(connection, alert_id, now)


def second_opinions(store: Store, now: datetime) -> list[int]:
    """Ids of the alerts that ask for a second opinion and that nobody holds, the most urgent first."""
    with store.read() as connection:
        return [id for id, _ in alert_order.order(connection, Wanted(states=(AlertState.SECOND_REVIEW,)), now, FOUND)]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Where words were found. The names are those of monitor.search."""

    item_id: int | None
    alert_id: int | None
    kind: Literal["item", "revision", "note", "decision"]
    title: str
    excerpt: str
    at: datetime
    outlet: str


def search(store: Store, words: str, now: datetime) -> list[SearchHit]:
    """At most FOUND alerts in whose title all words stand, in either script, decided and hidden ones too."""
    everything = Wanted(states=tuple(AlertState), suppressed=None)
    ids = order(store, Filter(everything, words), now).ids[:FOUND]
    return [
        SearchHit(None, row["id"], "item", row["title"], "", row["opened_at"], next(iter(row["outlets"]), ""))
        for row in rows(store, ids, now)
    ]


def names(settings: Settings) -> Mapping[str, Mapping[Lang, str]]:
    """The names of watched people and offices by id, as the roster has them. Raises ConfigError."""
    file = load_watchlist(settings)[1]
    found: dict[str, Mapping[Lang, str]] = {}
    for person in file.candidate:
        latin = person.latin and " ".join(part for part in (person.latin.english, person.latin.surname) if part)
        found[person.id] = {Lang.EN: latin or person.names[0], Lang.HANT: person.names[0]}
    for body in file.office:
        english = next((name for name in body.names if not HAN.search(name)), body.names[0])
        chinese = next((name for name in body.names if HAN.search(name)), body.names[0])
        found[body.id] = {Lang.EN: english, Lang.HANT: chinese}
    return found


@lru_cache(maxsize=LONGEST)
def _folded(title: str) -> str:
    return fold(title)


def _stands(words: Sequence[str], alert_id: int, title: str) -> bool:
    """Whether all ``words`` stand in the title, or the only one is the alert's number."""
    return words == [str(alert_id)] or all(word in _folded(title) for word in words)


class _Files:
    """Which file each store was, the last time somebody looked: a store that was put in its place is opened anew."""

    seen: dict[Path, int] = {}  # noqa: RUF012 - one for the program


def _is_there(store: Store) -> None:
    """An open SQLite file that was deleted can be read on for ever. Raises MissingStoreError."""
    if store.path is None:
        return
    try:
        number = store.path.stat().st_ino
    except FileNotFoundError:
        _Files.seen.pop(store.path, None)
        store.close()  # the next connection opens what is there by then
        raise MissingStoreError(store.url) from None
    if _Files.seen.setdefault(store.path, number) != number:
        _Files.seen[store.path] = number
        store.close()


# What one alert's screen shows. The names are those of alerts.sheet.


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a passage's text, title first, then a line break and the body."""

    start: int
    end: int
    kind: Literal["weight", "match", "finding"]
    weight: float = 0.0  # above zero speaks for it


@dataclass(frozen=True, slots=True)
class Passage:
    """The words of one item of the incident."""

    item_id: int
    title: str
    body: str
    title_spans: tuple[Span, ...]
    body_spans: tuple[Span, ...]
    lang: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """What a rule found, and the line of the roster or the facts that it rests on."""

    rule: str
    sentence: str
    source_line: str


@dataclass(frozen=True, slots=True)
class KnownClaim:
    """A known claim or an official statement that is near."""

    text: str
    url: str | None
    outlet: str
    kind: str
    similarity: float
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Diff:
    """An edit: when, and the words that stayed (=), came (+) and went (-)."""

    instant: datetime
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SheetItem:
    """An item of the incident."""

    item_id: int
    outlet: str
    role: str
    published_at: datetime | None
    first_seen_at: datetime
    title: str
    link: str | None
    diffs: tuple[Diff, ...]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Who did what."""

    at: datetime
    actor: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything for a decision."""

    alert: Mapping[str, Any]
    texts: tuple[Passage, ...]
    reasons: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    claims: tuple[KnownClaim, ...]
    timeline: tuple[SheetItem, ...]
    evidence: tuple[Mapping[str, Any], ...]
    history: tuple[HistoryLine, ...]


def read_sheet(store: Store, alert_id: int, now: datetime) -> Sheet:
    """Everything one alert's screen shows; hides a first opinion where `alerts show` does. Raises NotFoundError."""
    found = queue.show(store, alert_id, now)
    items = found["incident"]["items"]
    return Sheet(
        alert={key: value for key, value in found.items() if key not in ("incident", "history", "answers")},
        texts=tuple(_passage(item) for item in items),
        reasons=tuple(str(reason) for reason in found["reasons"]),
        findings=tuple(FindingLine(f["rule"], f["text"], f["rests_on"]) for f in found["findings"]),
        claims=tuple(
            KnownClaim(
                answer["title"],
                answer["link"],
                answer["outlet"],
                answer["role"],
                answer["similarity"],
                answer["published_at"],
            )
            for answer in found["answers"]
        ),
        timeline=tuple(_item(item) for item in items),
        evidence=(),
        history=tuple(
            HistoryLine(entry["at"], entry["actor"], _told(entry["action"], entry["detail"]))
            for entry in found["history"]
        ),
    )


def _told(action: str, detail: Mapping[str, Any]) -> str:
    words = [action, *(str(detail[key]) for key in ("decision", "verdict", "reason", "until") if detail.get(key))]
    return ": ".join((words[0], " ".join(words[1:]))) if words[1:] else words[0]


def _passage(item: Mapping[str, Any]) -> Passage:
    title, body = item["title"], item["summary"] if item["summary"] != item["title"] else ""
    weighed = [
        (text, weight)
        for reason in item["reasons"] or ()
        if reason["code"] == "words"
        for text, weight in (*reason["detail"].get("for", ()), *reason["detail"].get("against", ()))
    ]
    named = [Span(match["start"], match["end"], "match") for match in item["matches"] or ()]
    shift = len(title) + 1
    of_title = [span for span in named if span.end <= len(title)]
    of_body = [replace(span, start=span.start - shift, end=span.end - shift) for span in named if span.start >= shift]
    return Passage(
        item["id"],
        title,
        body,
        tuple(_spans(title, weighed, of_title)),
        tuple(_spans(body, weighed, of_body)),
        item["lang"],
    )


def _spans(text: str, weighed: Sequence[tuple[str, float]], named: Sequence[Span]) -> Iterator[Span]:
    """The names, and where no name stands the words that were weighed; in order of place, none over another."""
    found = list(named)
    for words, weight in weighed:
        for place in re.finditer(re.escape(words), text):
            if all(place.end() <= span.start or place.start() >= span.end for span in found):
                found.append(Span(place.start(), place.end(), "weight", weight))
    yield from sorted(found, key=lambda span: span.start)


def _item(item: Mapping[str, Any]) -> SheetItem:
    texts = [(r["replaced_at"], f"{r['title']} {r['summary']}") for r in item["revisions"]]
    texts.append((item["edited_at"], f"{item['title']} {item['summary']}"))
    diffs = [
        Diff(before[0] or item["first_seen_at"], tuple(_diff(before[1], after[1]))) for before, after in pairwise(texts)
    ]
    return SheetItem(
        item["id"],
        item["outlet"],
        item["role"],
        item["published_at"],
        item["first_seen_at"],
        item["title"],
        item["link"],
        tuple(diffs),
    )


_TOKEN = re.compile(rf"{HAN.pattern}|[^\W_]+|\s+|.", re.DOTALL)


def _diff(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = _TOKEN.findall(before[:2000]), _TOKEN.findall(after[:2000])
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "=", "".join(old[i:j])
            continue
        if i < j:
            yield "-", "".join(old[i:j])
        if k < m:
            yield "+", "".join(new[k:m])
