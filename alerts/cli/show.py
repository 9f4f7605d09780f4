"""One alert as a person reads it: in their language, with what counts in its words marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import cell, make_console
from monitor.invisible import safe
from monitor.language import _, ngettext, render, term, used
from monitor.types import LIVE, Lang, Review, Said

if TYPE_CHECKING:
    from rich.text import Text

    from alerts.sheet import HistoryLine, KnownClaim, Passage, Sheet, SheetItem

SUMMARY = 400  # characters of an item that are shown
EQUAL = 30  # of what stayed in an edited text, on each side of what did not
# Without colour, so that nothing hangs on a terminal's palette: what speaks for a falsehood, what against it, whom the
# watchlist knows, what a rule quotes.
_STYLES = {"for": "bold underline", "against": "italic", "match": "reverse", "finding": "underline"}
_MARKS = {"+": ("{+", "+}"), "-": ("[-", "-]"), "=": ("", "")}  # as wdiff writes them
_ASKS = {Review.SECOND: Said("asks for a second opinion"), Review.LEAD: Said("asks for the lead's decision")}


def relative(row: Mapping[str, Any], moment: datetime) -> str:
    """Time left until the clock that runs for an alert, with a minus sign when it is past."""
    if row["due_at"] is None or row["state"] not in LIVE:
        return "-"
    minutes = int((row["due_at"] - moment).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    span = f"{hours}h{rest:02}" if hours else f"{rest}m"
    return f"-{span}" if row["due_at"] < moment else f"+{span}"


def print_sheet(sheet: Sheet, moment: datetime, *, plain: bool) -> None:
    """Print a sheet; ``plain`` leaves out what only eyes see, and leaves the breaking of lines to the terminal."""
    from rich.padding import Padding
    from rich.text import Text

    console = make_console()

    def write(line: str | Text, indent: int = 0) -> None:
        if plain or not line:
            click.echo(" " * indent + str(line))
        else:
            console.print(Padding(Text(line) if isinstance(line, str) else line, (0, 0, 0, indent), expand=False))

    for line in _head(sheet, moment):
        write(safe(line))
    write("")
    for passage in marked(sheet.texts[0]).split():
        write(passage)
    for heading, lines in _sections(sheet):
        if lines:
            write("")
            write(_("{heading}:").format(heading=heading))
            for line in lines:
                words = safe(line)
                write(words.lstrip(), 2 + len(words) - len(words.lstrip()))


def marked(passage: Passage) -> Text:
    """The text of an item with its spans drawn; what may not reach a terminal is left out."""
    from rich.text import Text

    kinds = {
        span: span.kind if span.kind != "weight" else "for" if span.weight > 0 else "against" for span in passage.spans
    }
    whole = Text()
    cuts = sorted({0, len(passage.text), *(place for span in passage.spans for place in (span.start, span.end))})
    for start, end in pairwise(cuts):
        style = " ".join(dict.fromkeys(_STYLES[kinds[s]] for s in passage.spans if s.start <= start and end <= s.end))
        lines = passage.text[start:end].split("\n")
        for number, words in enumerate(lines):
            whole.append("\n" * (number > 0)).append(safe(words), style)
    return whole


def _head(sheet: Sheet, moment: datetime) -> Iterator[str]:
    row = sheet.alert
    parts = [_("alert {id}  {priority}  level {level}  {state}").format(**_named(row, "state"))]
    if row["holder"]:
        until = cell(row["lease_expires_at"])
        parts.append(_("held by {holder} until {until}").format(holder=row["holder"], until=until))
    if row["snoozed_until"]:
        parts.append(_("until {until}").format(until=cell(row["snoozed_until"])))
    if row["decision"] is None and row["review"] in _ASKS:
        parts.append(render(_ASKS[row["review"]]))
    yield reduce(lambda line, more: _("{line}, {more}").format(line=line, more=more), parts)
    if row["suppression"]:
        yield _suppressed(row)
    yield _("due {due}  score {score:.2f}  route {route}  lang {lang}").format(
        due=relative(row, moment), **{**_named(row, "lang"), "route": sheet.team}
    )
    yield _("claim type {claim_type}  about {matches}  looks like {label}").format(
        **{**_named(row, "claim_type", "label"), "matches": cell(row["matches"] if used() is Lang.EN else sheet.about)}
    )


def _suppressed(row: Mapping[str, Any]) -> str:
    values = _named(row, "suppression")
    if row["inhibited_by"]:
        return _("suppressed: {suppression} by alert {inhibited_by}, which decided the same claim").format(**values)
    return _("suppressed: {suppression}").format(**values)


def _named(row: Mapping[str, Any], *kinds: str) -> dict[str, Any]:
    """The row with these codes by their names; in English by the codes themselves, which one types."""
    return {**row, **{kind: coded(kind, row[kind]) for kind in kinds}}


def coded(kind: str, code: str | None) -> str:
    """A code as a table shows it: by its name, in English as it is typed."""
    return cell(code) if used() is Lang.EN else term(kind, code)


def _sections(sheet: Sheet) -> Iterator[tuple[str, list[str]]]:
    row = sheet.alert
    yield _("Why"), list(sheet.reasons)
    form = _("{sentence} “{evidence}” rests on {source_line}")
    yield _("What rules found"), [form.format(**asdict(finding)) for finding in sheet.findings]
    outlets = ngettext("{count} outlet", "{count} outlets", len(row["outlets"])).format(count=len(row["outlets"]))
    heading = _("Published ({count} in {outlets})").format(count=len(sheet.timeline), outlets=outlets)
    summaries = {passage.item_id: passage.body for passage in sheet.texts if passage.body != passage.title}
    yield heading, [line for item in sheet.timeline for line in _item(item, summaries.get(item.item_id, ""))]
    others = [claim for claim in sheet.claims if claim.outlet is None]
    yield _("Possibly the same claim"), [line for claim in others for line in _claim(claim)]
    answers = [claim for claim in sheet.claims if claim.outlet is not None]
    yield _("Official answers, perhaps"), [line for claim in answers for line in _claim(claim)]
    yield _("Evidence"), list(map(_captured, sheet.evidence))
    inhibits = row["inhibits"]
    alike = _("alert {id} ({similarity:.2f}): {title}")
    yield _("Inhibits {count}").format(count=len(inhibits)), [alike.format(**other) for other in inhibits]
    yield _("Notes"), list(map(_line, sheet.notes))
    yield _("Decisions"), list(map(_line, sheet.decisions))
    yield _("History"), list(map(_line, sheet.history))


def _item(item: SheetItem, summary: str) -> Iterator[str]:
    when = cell(item.published_at or item.first_seen_at)
    stands = f"{coded('role', item.role)}, {coded('stance', item.stance)}"
    yield f"{when}  {item.outlet} ({stands}): {item.title}"
    if summary:
        yield f"    {summary[:SUMMARY]}"
    if item.link:
        yield f"    {item.link}"
    for diff in item.diffs:
        changed = "".join(_changed(mark, text) for mark, text in diff.words)
        yield "    " + _("edited {instant}: {changed}").format(instant=cell(diff.instant), changed=changed)


def _captured(row: Mapping[str, Any]) -> str:
    from alerts.sheet import captured

    return "  ".join(filter(None, (cell(row["captured_at"]), *captured(row))))


def _changed(mark: str, text: str) -> str:
    if mark == "=" and len(text) > 2 * EQUAL:
        text = f"{text[:EQUAL]} … {text[-EQUAL:]}"
    before, after = _MARKS[mark]
    return f"{before}{text}{after}"


def _claim(claim: KnownClaim) -> Iterator[str]:
    subject = claim.subject.replace(":", " ")
    if claim.outlet:
        named = f"{claim.outlet} ({coded('role', claim.kind)}, {claim.similarity:.2f})"
        yield f"{cell(claim.published_at)}  {named}: {claim.text}"
    else:
        yield f"{subject}  {claim.similarity:.2f}  {claim.text}"
    if claim.url:
        yield f"    {claim.url}"


def _line(line: HistoryLine) -> str:
    return f"{cell(line.at)}  {line.actor}  {line.sentence}"
