"""One alert as lines: the claim, then why it is here, what is known of it, where it stands, who did what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.sheet import Diff, HistoryLine, KnownClaim, Passage, Sheet, SheetItem, captured
from alerts.spans import Span
from alerts.triage import terms
from alerts.triage.cells import Line, Piece, drawable, fit_line, one_line, wrap
from alerts.triage.session import Session
from monitor.language import _, ngettext, term
from monitor.types import Lang, Review

WIDE = 150  # cells from which there are two columns
_SHOWN = 3  # texts of an incident that are shown whole: the rest are copies or stand in the timeline
_GAP = 3
_OFFICIAL = ("official", "factcheck")


def lines(sheet: Sheet, session: Session, now: datetime, cells: int) -> list[Line]:
    """All of it, wrapped to ``cells``; in two columns where there is room."""
    head = list(_head(sheet, session, now, cells))
    if cells < WIDE:
        return [*head, *_claim(sheet, cells), *_background(sheet, session, cells)]
    half = (cells - _GAP) // 2
    return [*head, *beside(list(_claim(sheet, half)), list(_background(sheet, session, half)), half)]


def beside(left: Sequence[Line], right: Sequence[Line], cells: int) -> Iterator[Line]:
    """Two columns of so many cells."""
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else []
        other = right[index] if index < len(right) else []
        yield [*fit_line(one, cells), (" " * _GAP, "text"), *other]


def _head(sheet: Sheet, session: Session, now: datetime, cells: int) -> Iterator[Line]:
    row = sheet.alert
    due, due_role = terms.left(row, now)
    who, who_role = terms.who(row, session.reviewer, now, session.zone)
    state: Line = [
        (f"{row['priority']} ", row["priority"].lower() if row["priority"] != "P4" else "dim"),
        (_("alert {id}").format(id=row["id"]), "title"),
        (" · ", "dim"),
        (_("due {time}").format(time=due), due_role),
        (" · ", "dim"),
        (_("level {level}").format(level=row["level"]), "text"),
        (" · ", "dim"),
        *([(one_line(who), who_role), (" · ", "dim")] if who != "-" else []),
        (one_line(terms.claim_type(row["claim_type"])), "text"),
        (f" · {terms.LANGUAGE_SIGNS[Lang(row['lang'])]}", "dim"),
        (" · " + _("score {score:.2f}").format(score=row["score"]), "dim"),
        (" · " + _("team {team}").format(team=one_line(sheet.team)), "dim"),
    ]
    yield from wrap(state, cells)
    if sheet.about:
        about = _(", ").join(map(one_line, sheet.about))
        yield from wrap([(_("about") + " ", "dim"), (about, "match")], cells)
    for words in _asks(sheet):
        yield from wrap([(words, "soon")], cells)


def _asks(sheet: Sheet) -> Iterator[str]:
    row = sheet.alert
    if row["suppression"]:
        yield term("suppression", row["suppression"])
    if row["decision"] is None and row["review"] == Review.SECOND:
        yield _("Asks for a second opinion: what the first reviewer said is not shown.")
    elif row["decision"] is None and row["review"] == Review.LEAD:
        yield _("Two opinions differ: the lead decides.")
    elif row["decision"] is not None:
        verdict = f", {term('verdict', row['verdict'])}" if row["verdict"] else ""
        yield _("Decided: {decision}").format(decision=term("decision", row["decision"]) + verdict)


def _claim(sheet: Sheet, cells: int) -> Iterator[Line]:
    yield []
    different = list({(passage.title, passage.body): passage for passage in sheet.texts[::-1]}.values())[::-1]
    for passage in different[:_SHOWN]:
        yield from wrap(painted(passage.title, passage.title_spans, "title"), cells)
        if passage.body:
            yield from wrap(painted(_rest(passage), _shifted(passage), "text"), cells)
        yield []
    if any(passage.title_spans or passage.body_spans for passage in different[:_SHOWN]):
        yield [(_("weighed words"), "weight"), (" ", "text"), (_("watched names"), "match")]
    if (more := len(different) - _SHOWN) > 0:
        words = ngettext("{count} more text of the incident below.", "{count} more texts of the incident below.", more)
        yield [(words.format(count=more), "dim")]
    yield from section(_("Why it is here"), ([(one_line(reason), "text")] for reason in sheet.reasons), cells)
    yield from section(_("What rules found"), _findings(sheet), cells)
    yield from _known(sheet, cells)


def _rest(passage: Passage) -> str:
    """The body without the title that many feeds repeat at its beginning."""
    return passage.body[len(passage.title) :] if passage.body.startswith(passage.title) else passage.body


def _shifted(passage: Passage) -> list[Span]:
    cut = len(passage.body) - len(_rest(passage))
    return [
        Span(span.start - cut, span.end - cut, span.kind, span.weight)
        for span in passage.body_spans
        if span.start >= cut
    ]


def painted(text: str, spans: Iterable[Span], role: str) -> list[Piece]:
    """A text with its spans in their own roles; of two over one another the first is shown."""
    pieces: list[Piece] = []
    done = 0
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        start, end = max(span.start, 0), min(span.end, len(text))
        if start < done or end <= start:
            continue
        pieces += [(drawable(text[done:start]), role), (drawable(text[start:end]), span.kind)]
        done = end
    pieces.append((drawable(text[done:]), role))
    return [piece for piece in pieces if piece[0]]


def section(heading: str, entries: Iterable[Sequence[Piece]], cells: int) -> Iterator[Line]:
    """A heading and its entries, each with a dash; nothing without entries."""
    first = True
    for entry in entries:
        if first:
            yield []
            yield [(heading, "head")]
            first = False
        yield from wrap([("- ", "dim"), *entry], cells, indent=2)


def _findings(sheet: Sheet) -> Iterator[list[Piece]]:
    for finding in sheet.findings:
        rests = _("rests on {line}").format(line=one_line(finding.source_line))
        yield [(f"{one_line(finding.sentence)} ", "text"), (rests, "finding")]


def _known(sheet: Sheet, cells: int) -> Iterator[Line]:
    """Known claims and official statements, side by side where there are both and room."""
    official = [claim for claim in sheet.claims if claim.kind in _OFFICIAL]
    others = [claim for claim in sheet.claims if claim.kind not in _OFFICIAL]
    half = (cells - _GAP) // 2
    if official and others and half >= 34:
        left = list(section(_("Nearest known claims"), map(_one_claim, others), half))
        yield from beside(left, list(section(_("Official statements"), map(_one_claim, official), half)), half)
        return
    yield from section(_("Nearest known claims"), map(_one_claim, others), cells)
    yield from section(_("Official statements"), map(_one_claim, official), cells)


def _one_claim(claim: KnownClaim) -> list[Piece]:
    when = f" {claim.published_at:%Y-%m-%d}" if claim.published_at else ""
    by = f"{terms.known(claim.kind)}, {one_line(claim.outlet)}{when}" if claim.outlet else terms.known(claim.kind)
    link = f" {one_line(claim.url)}" if claim.url else ""
    return [(f"{claim.similarity:.2f} ", "key"), (one_line(claim.text), "text"), (f" ({by}){link}", "dim")]


def _background(sheet: Sheet, session: Session, cells: int) -> Iterator[Line]:
    count = len(sheet.timeline)
    heading = ngettext("Published, {count} item", "Published, {count} items", count).format(count=count)
    yield []
    yield [(heading, "head")]
    for item in sheet.timeline:
        yield from _item(item, session, cells)
    yield from section(_("Evidence"), (_evidence(row, session) for row in sheet.evidence), cells)
    for heading, told in (
        (_("Decisions"), sheet.decisions),
        (_("Notes"), sheet.notes),
        (_("History"), sheet.history),
    ):
        yield from section(heading, (_told(line, session) for line in told), cells)


def _told(line: HistoryLine, session: Session) -> list[Piece]:
    return [
        (f"{terms.at(line.at, session.zone)} ", "dim"),
        (f"{one_line(line.actor)} ", "held"),
        (one_line(line.sentence), "text"),
    ]


def _item(item: SheetItem, session: Session, cells: int) -> Iterator[Line]:
    when = terms.at(item.published_at or item.first_seen_at, session.zone)
    head: list[Piece] = [
        (f"{when} ", "dim"),
        (f"{one_line(item.outlet)} ", "held"),
        (f"({term('role', item.role)}) ", "dim"),
        (one_line(item.title), "text"),
    ]
    yield from wrap(head, cells, indent=2)
    if item.link:
        yield from wrap([("  ", "dim"), (one_line(item.link), "dim")], cells, indent=2)
    for diff in item.diffs:
        yield from wrap(_edit(diff, session), cells, indent=4)


def _edit(diff: Diff, session: Session) -> list[Piece]:
    """Words that went in [-…-], words that came in {+…+}, as git shows them: seen without colour, too."""
    head = _("edited {time}:").format(time=terms.at(diff.instant, session.zone))
    pieces: list[Piece] = [(f"  {head} ", "soon")]
    for mark, text in diff.words:
        words = drawable(text)
        if mark == "=":
            pieces.append((words, "dim"))
        else:
            pieces.append((f"{{+{words}+}}", "plus") if mark == "+" else (f"[-{words}-]", "minus"))
    return pieces


def _evidence(row: Mapping[str, Any], session: Session) -> list[Piece]:
    what, change, proof = map(one_line, captured(row))
    return [
        (f"{terms.at(row['captured_at'], session.zone)} ", "dim"),
        (f"{what} ", "text"),
        *([(f"{change} ", "late" if row["changed"] != "same" else "dim")] if change else []),
        (proof, "dim"),
    ]
