"""Everything that one alert's screen shows, in the reviewer's language: read once, then put together without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Any

from alerts import history, queue
from alerts.edits import Mark, word_diff
from alerts.naming import Naming, actor, load_naming
from alerts.spans import Span, spans
from classifiers import sentences
from monitor.config import Settings
from monitor.language import _, render, term
from monitor.store import Store, inhibitions
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import AlertState, Lang, Said, join_text

PASSAGES = 50  # items of an incident whose text is shown with what counts in it


@dataclass(frozen=True, slots=True)
class Passage:
    """The present text of an item. Its spans count characters of ``text``."""

    item_id: int
    title: str
    body: str
    spans: tuple[Span, ...]
    lang: Lang

    @property
    def text(self) -> str:
        """Title and body as one text, as they were judged; a body that only repeats the title is left out."""
        return join_text(self.title, self.body)

    @property
    def title_spans(self) -> tuple[Span, ...]:
        """The part of the spans that lies in the title, counted in it."""
        return _within(self.spans, 0, len(self.title))

    @property
    def body_spans(self) -> tuple[Span, ...]:
        """The part of the spans that lies in the body, counted in it; none where the body is left out."""
        start = len(self.text) - len(self.body)
        return _within(self.spans, start, len(self.text)) if self.body != self.title else ()


@dataclass(frozen=True, slots=True)
class FindingLine:
    """What a rule found, the words of the item, and the line of the roster or facts file it rests on."""

    rule: str
    sentence: str
    source_line: str
    evidence: str


@dataclass(frozen=True, slots=True)
class KnownClaim:
    """What is known already and may be the same: an official answer, a ruling of ours, another incident.

    ``kind`` is ``official``, ``factcheck``, ``ruling`` or ``incident``; ``subject`` is where it stands: ``item:5``,
    ``alert:7``, ``incident:12``. ``similarity`` is in [0, 1].
    """

    text: str
    url: str | None
    outlet: str | None
    kind: str
    similarity: float
    published_at: datetime | None
    subject: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What an outlet changed in a text at ``instant``, in order; see ``edits.word_diff``."""

    instant: datetime
    words: tuple[tuple[Mark, str], ...]


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One item of the incident, with what was changed in it."""

    item_id: int
    outlet: str
    role: str
    stance: str | None
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
class Teller:
    """Says sentences to a reader, who has names and a zone."""

    naming: Naming
    zone: tzinfo

    def tell(self, said: Said) -> str:
        """A sentence in the language in use."""
        return render(self.naming.told(said), self.zone)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One alert. ``alert`` is what `alerts show --json` prints; the other fields say the same to a person."""

    alert: Mapping[str, Any]
    mine: bool  # the reviewer holds it
    team: str
    about: tuple[str, ...]  # the people and offices that it names
    texts: tuple[Passage, ...]  # of the item that scores highest, then of the others by time, PASSAGES at most
    reasons: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    claims: tuple[KnownClaim, ...]  # of each kind the most similar first
    timeline: tuple[SheetItem, ...]
    evidence: tuple[Mapping[str, Any], ...]
    decisions: tuple[HistoryLine, ...]
    notes: tuple[HistoryLine, ...]
    history: tuple[HistoryLine, ...]


def captured(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """A row of the evidence in words, in the language in use: what was captured, how it has changed, its proof.

    The first ends with the status that the server gave; the second is empty for what was looked at once.
    """
    changes = {"gone": _("the page is gone"), "changed": _("the page reads otherwise now"), "same": _("unchanged")}
    what = f"{term('capture', row['kind'])} {row['status'] or '-'}"
    return what, changes.get(row["changed"] or "", ""), f"SHA-256 {row['sha256']} {row['url']}"


def read_sheet(
    store: Store, settings: Settings, alert_id: int, reviewer: str, now: datetime, naming: Naming | None = None
) -> Sheet:
    """What ``reviewer`` is shown of one alert, in the language in use, with instants of the election's zone.

    While it asks for a second opinion, decisions and notes are hidden as in ``queue.show``. ``naming``: as it was read
    before, else it is read now. Raises NotFoundError, ConfigError.
    """
    with store.read() as connection:
        found = queue.in_full(connection, alert_id, now)
        urgent = alert_store.get(connection, alert_id).priority_reasons
        ruling = inhibitions.ruling_on(connection, alert_id)
    teller = Teller(naming or load_naming(settings), settings.calendar.zone)
    return assemble(found, urgent, ruling, clean(reviewer), teller)


def assemble(
    found: Mapping[str, Any],
    urgent: Sequence[Said],
    ruling: Mapping[str, Any] | None,
    reviewer: str,
    teller: Teller,
) -> Sheet:
    """The sheet of what ``queue.in_full`` gives, the alert's own reasons, and the ruling that answers it. Pure."""
    items: list[dict[str, Any]] = found["incident"]["items"]
    lead = max(items, key=lambda item: item["score"] or 0.0, default=None)  # of an old incident they were purged
    reasons = [*urgent, *map(sentences.stored, lead["reasons"] or ())] if lead else urgent
    shown = [lead, *(item for item in items if item is not lead)] if lead else []
    lines = [_line(entry, history.sentence(entry), teller) for entry in found["history"]]
    notes = [line for entry, line in zip(found["history"], lines, strict=True) if entry["action"] == history.NOTE]
    return Sheet(
        alert=found,
        mine=found["state"] is AlertState.LEASED and found["holder"] == reviewer,
        team=teller.naming.team(found["route"]),
        about=tuple(map(teller.naming.person, found["matches"])),
        texts=tuple(map(_passage, shown[:PASSAGES])),
        reasons=tuple(map(teller.tell, reasons)),
        findings=tuple(_finding(finding, teller) for finding in found["findings"]),
        claims=tuple(_claims(found, ruling)),
        timeline=tuple(map(_item, items)),
        evidence=tuple(found["evidence"]),
        decisions=tuple(_decision(row, teller) for row in found["decisions"]),
        notes=tuple(notes),
        history=tuple(lines),
    )


def _within(found: Sequence[Span], start: int, end: int) -> tuple[Span, ...]:
    """The parts of spans between two places, counted from the first of them."""
    return tuple(
        Span(max(span.start, start) - start, min(span.end, end) - start, span.kind, span.weight)
        for span in found
        if span.start < end and span.end > start
    )


def _passage(item: Mapping[str, Any]) -> Passage:
    weighed = [reason["detail"] for reason in item["reasons"] or () if reason["code"] == "words"]
    marked = spans(
        join_text(item["title"], item["summary"]),
        words=[
            (text, weight) for words in weighed for side in ("for", "against") for text, weight in words.get(side, ())
        ],
        matches=item["matches"] or (),
        quotes=[finding["evidence"] for finding in item["findings"] or ()],
        same_text=item["assessed_revision"] == item["revision"],
    )
    return Passage(item["item_id"], item["title"], item["summary"], marked, Lang(item["item_lang"]))


def _finding(finding: Mapping[str, Any], teller: Teller) -> FindingLine:
    said = teller.tell(sentences.found(finding))
    line = finding["rests_on"]  # of a file, as it stands there; or words of the rule's own, which have a translation
    return FindingLine(finding["rule"], said, _(line), finding["evidence"])


def _claims(found: Mapping[str, Any], ruling: Mapping[str, Any] | None) -> Iterator[KnownClaim]:
    for answer in found["answers"]:
        at = answer["published_at"] or answer["first_seen_at"]
        yield KnownClaim(
            *(answer["title"], answer["link"], answer["outlet"], answer["role"], answer["similarity"], at),
            subject=f"item:{answer['item_id']}",
        )
    if ruling:
        yield KnownClaim(
            *(ruling["title"], None, None, "ruling", ruling["similarity"], ruling["decided_at"]),
            subject=alert_store.subject(ruling["alert_id"]),
        )
    for other in found["incident"]["related"]:
        yield KnownClaim(
            *(other["title"], None, None, "incident", other["similarity"], None), subject=f"incident:{other['id']}"
        )


def _item(item: Mapping[str, Any]) -> SheetItem:
    return SheetItem(
        item_id=item["item_id"],
        outlet=item["outlet"],
        role=item["role"],
        stance=item["stance"],
        published_at=item["published_at"],
        first_seen_at=item["first_seen_at"],
        title=item["title"],
        link=item["link"],
        diffs=tuple(_diffs(item)),
    )


def _diffs(item: Mapping[str, Any]) -> Iterator[Diff]:
    texts = [*item["revisions"], item]
    for before, after in pairwise(texts):
        old, new = (join_text(text["title"], text["summary"]) for text in (before, after))
        yield Diff(before["replaced_at"], word_diff(old, new))


def _decision(row: Mapping[str, Any], teller: Teller) -> HistoryLine:
    said = history.opinion(row["review"], row["decision"], row["verdict"], row["reason"])
    if row["withdrawn_at"]:  # by what, the history tells
        values = {"decision_told": said, "withdrawn_at": row["withdrawn_at"]}
        said = Said("{decision_told}; withdrawn {withdrawn_at}", values)
    return HistoryLine(row["at"], row["reviewer"], teller.tell(said))


def _line(entry: Mapping[str, Any], said: Said, teller: Teller) -> HistoryLine:
    return HistoryLine(entry["at"], actor(entry["actor"]), teller.tell(said))
