"""What stands behind the first page of the digest: trends, tables, what was covered, and what proves it. Pure.

All of it is in the language in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median_low
from typing import Any

from alerts.charts import BY_DAY, BY_NIGHT, bars, trend
from alerts.coverage import Drift, Drifting
from alerts.front import claim_type, more, name, person, title
from alerts.letter import Block, Entry, Line, Picture, Section, Table, Tone, day, minutes, moment
from alerts.opinions import split_dismissal
from alerts.summary import Day, Summary
from monitor.language import _, ngettext, term
from monitor.text import clean, shorten
from monitor.types import Decision

_WEEK = 7
_BARS = 8  # in a chart
_KINDS = 12  # of what was dropped


def annex(summary: Summary, shown: int) -> tuple[Section, ...]:
    """Everything behind the first page; lists are cut after ``shown`` rows, and say so."""
    parts = (
        (_("Fourteen days"), _trends(summary)),
        (_("Found"), _found(summary)),
        (_("Candidates"), _parity(summary, shown)),
        (_("Clocks"), _clocks(summary)),
        (_("Decided"), _decided(summary, shown)),
        (_("Hidden"), _hidden(summary, shown)),
        (_("Coverage"), _coverage(summary, shown)),
        (_("What stopped coming"), _quiet(summary, shown)),
        (_("Dropped"), _dropped(summary)),
        (_("Proof"), _proof(summary)),
    )
    return tuple(Section(heading, tuple(blocks)) for heading, blocks in parts)


def _trends(summary: Summary) -> Iterator[Block]:
    days, until = summary.days, moment(summary.end, summary.zone)
    yield Line(_("Each day ends when its mail is due; the last one at {at}.").format(at=until), Tone.SOFT)
    week, before = days[-_WEEK:], days[:-_WEEK]
    counts = [sum(each.flagged for each in part) for part in (week, before)]
    said = _("Flagged items: {lately} in the last 7 days, {before} in the 7 before.")
    yield Line(said.format(lately=f"{counts[0]:,}", before=f"{counts[1]:,}"))
    if any(counts):
        values = [float(each.flagged) for each in days]
        numbers = [f"{each.flagged:,}" for each in days]
        yield _trend("flagged", _("Flagged items a day, {first} to {last}"), days, values, _("items"), numbers)
    usual = [_usual(part) for part in (week, before)]
    if not any(each.decided for each in days):
        yield Line(_("No alert was decided in these 14 days."))
        return
    said = _("From alert to decision on a usual day: {lately} in the last 7 days, {before} in the 7 before.")
    yield Line(said.format(lately=minutes(usual[0]), before=minutes(usual[1])))
    took = [each.decide_p50 for each in days]
    heading = _("From alert to decision, half within so many minutes, {first} to {last}")
    yield _trend("clocks", heading, days, took, _("minutes"), [minutes(each) for each in took])


def _usual(days: Sequence[Day]) -> float | None:
    """The middle one of the days on which anything was decided."""
    known = [each.decide_p50 for each in days if each.decide_p50 is not None]
    return median_low(known) if known else None


def _trend(
    key: str,
    heading: str,
    days: Sequence[Day],
    values: Sequence[float | None],
    unit: str,
    numbers: Sequence[str],
) -> Picture:
    heading = heading.format(first=day(days[0].date), last=day(days[-1].date))
    below = [str(each.date.day) for each in days]
    by_day, by_night = (trend(heading, below, [("", values)], unit=unit, colours=each) for each in (BY_DAY, BY_NIGHT))
    said = _(", ").join(f"{day(each.date)} {number}" for each, number in zip(days, numbers, strict=True))
    return Picture(key, heading, said, by_day, by_night)


def _bars(key: str, heading: str, rows: Sequence[tuple[str, float]], unit: str) -> Picture:
    rows = rows[:_BARS]
    by_day, by_night = (bars(heading, rows, unit=unit, colours=each) for each in (BY_DAY, BY_NIGHT))
    return Picture(key, heading, _(", ").join(f"{label} {value:g}" for label, value in rows), by_day, by_night)


def _found(summary: Summary) -> Iterator[Block]:
    collected, flagged = summary.collected, summary.flagged
    yield Line(_("In the period of this mail:"), Tone.SOFT)
    rows = [
        (_("new items"), collected["items_new"]),
        *((_("of them {lang}").format(lang=term("lang", lang)), count) for lang, count in collected["by_lang"].items()),
        (_("tips by hand"), collected["tips"]),
        (_("edited items"), collected["items_edited"]),
        (_("new incidents"), flagged["incidents_new"]),
    ]
    yield _table((_("What"), _("Number")), [(what, f"{count:,}") for what, count in rows])
    by_type = [(claim_type(code), float(count)) for code, count in flagged["by_claim_type"].items()]
    if by_type:
        yield _bars("types", _("New incidents by claim type"), by_type, _("incidents"))


def _parity(summary: Summary, shown: int) -> Iterator[Block]:
    parity = summary.parity
    if parity is None:
        yield Line(_("The watchlist cannot be read: nothing can be said of candidates."), Tone.WARN)
        return
    if not any(row.items for row in parity.candidates):
        yield Line(_("No item of the last 7 days names a candidate."))
        return
    rows = sorted(parity.candidates, key=lambda row: (-row.items, row.key))
    head = (_("Last 7 days"), _("Items"), _("Flagged"), _("False"), _("In error"), _("Ratio"))
    yield _table(
        head,
        [
            (
                person(summary.names, row.key, row.name),
                f"{row.items:,}",
                f"{row.flagged:,}",
                f"{row.decided_false:,}",
                f"{row.dismissed:,}",
                "–" if row.ratio is None else f"{row.ratio:.2f}",
            )
            for row in rows[:shown]
        ],
    )
    yield from more(len(rows) - shown, "pollwatch parity")
    said = _(
        "In error: flagged, and then found to be nothing. Ratio: how often that happens to one, against all others; "
        "from 0.80 to 1.25 is even."
    )
    yield Line(said, Tone.SOFT)
    flagged = sorted((row for row in rows if row.flagged), key=lambda row: -row.flagged)
    if flagged:
        counts = [(person(summary.names, row.key, row.name), float(row.flagged)) for row in flagged]
        yield _bars("candidates", _("Flagged items by candidate"), counts, _("items"))


def _clocks(summary: Summary) -> Iterator[Block]:
    names = {
        "feed": _("Published to first seen"),
        "alert": _("Assessed to alerted"),
        "take": _("Alerted to taken"),
        "decide": _("Taken to decided"),
        "clarify": _("Decided to clarified"),
        "whole": _("First seen to clarified"),
    }
    went = [(words, summary.clocks[leg]) for leg, words in names.items() if summary.clocks[leg]["n"]]
    if not went:
        yield Line(_("No alert was opened in this period."))
        return
    head = (_("From … to"), _("Alerts"), _("Half within"), _("Nine of ten within"))
    yield _table(head, [(words, f"{leg['n']:,}", minutes(leg["p50"]), minutes(leg["p90"])) for words, leg in went])


def _decided(summary: Summary, shown: int) -> Iterator[Block]:
    if not summary.decided:
        yield Line(_("No decision in this period."))
    for row in summary.decided[:shown]:
        ruling = term("decision", row["decision"])
        if row["verdict"]:
            ruling = _("{decision}: {verdict}").format(decision=ruling, verdict=term("verdict", row["verdict"]))
        by = _("{at} by {name}: {reason}")
        told = {"at": moment(row["at"], summary.zone), "name": name(row["reviewer"]), "reason": _reason(row)}
        yield Entry(text=title(row["title"]), detail=by.format(**told), mark=ruling)
    yield from more(summary.decisions_made - min(shown, len(summary.decided)), "pollwatch audit list")


def _reason(row: Mapping[str, Any]) -> str:
    """The reviewer's; that of a dismissal begins with a code."""
    said = row["reason"]
    if row["decision"] == Decision.DISMISS:
        code, words = split_dismissal(said)
        why = term("dismiss_reason", code)
        said = _("{why}: {words}").format(why=why, words=words) if words else why
    return shorten(clean(said), 120)


def _hidden(summary: Summary, shown: int) -> Iterator[Block]:
    silences, hidden = summary.silences, summary.coverage.hidden
    if not silences["active"] and not any(hidden.values()):
        yield Line(_("No alert is hidden."))
        return
    rows = [
        (_("active silences"), silences["active"]),
        (_("alerts hidden by them"), hidden["silence"]),
        (_("alerts hidden because their claim is clarified"), hidden["inhibited"]),
    ]
    yield _table((_("What"), _("Number")), [(what, f"{count:,}") for what, count in rows])
    for row in silences["expiring"][:shown]:
        said = ngettext("ends {at} and gives back {n} alert", "ends {at} and gives back {n} alerts", row["hides"])
        said = said if row["hides"] else _("ends {at} and hides nothing")
        yield _silence(row, said.format(at=moment(row["ends_at"], summary.zone), n=row["hides"]))
    yield from more(len(silences["expiring"]) - shown, "pollwatch silences list")
    ending = {row["id"] for row in silences["expiring"]}
    idle = [row for row in silences["idle"] if row["id"] not in ending]
    for row in idle[:shown]:
        yield _silence(row, _("has hidden nothing"))
    yield from more(len(idle) - shown, "pollwatch silences list")


def _silence(row: Mapping[str, Any], said: str) -> Entry:
    which = _("silence {id} of {author}").format(id=row["id"], author=name(row["author"]))
    return Entry(text=_("{name} {said}").format(name=which, said=said), detail=shorten(clean(row["reason"]), 120))


def _coverage(summary: Summary, shown: int) -> Iterator[Block]:
    feeds = summary.coverage.feeds
    rows = [(_health(word), f"{feeds['words'].get(word, 0):,}") for word in _HEALTH if feeds["words"].get(word)]
    yield _table((_("Feeds"), _("Number")), [*rows, (_("all"), f"{feeds['total']:,}")])
    for group in ("failing", "unwell"):
        for row in feeds[f"{group}_feeds"][:shown]:
            good = _("last good answer {good}, last new entry {new}").format(
                good=moment(row["last_success_at"], summary.zone), new=moment(row["last_new_at"], summary.zone)
            )
            # Not in the server's words, which are for those who mend it.
            why = term("feed_error", row["error_kind"]) if row["health"] == "failing" else ""
            told = _(" · ").join(part for part in (why, good) if part)
            yield Entry(text=name(row["outlet"]), detail=told, mark=_health(row["health"]))
        yield from more(feeds[group] - min(shown, len(feeds[f"{group}_feeds"])), "pollwatch feeds list")
    for row in summary.coverage.disabled[:shown]:
        asked = _("last asked {at}").format(at=moment(row["last_attempt_at"], summary.zone))
        yield Entry(text=name(row["outlet"]), detail=asked, mark=_("switched off this week"))
    yield from more(len(summary.coverage.disabled) - shown, "pollwatch feeds list")
    yield Line(_("Not covered: closed messaging groups and everything else that has no public feed."), Tone.SOFT)


_HEALTH = ("ok", "silent", "html", "failing", "moved", "clock-off", "slow", "malformed", "new", "disabled", "gone")


def _health(word: str) -> str:
    return {
        "ok": _("well"),
        "silent": _("silent against its own rhythm"),
        "html": _("a web page instead of a feed"),
        "failing": _("failing"),
        "moved": _("moved"),
        "clock-off": _("wrong dates"),
        "slow": _("slow"),
        "malformed": _("malformed"),
        "new": _("never asked"),
        "disabled": _("switched off"),
        "gone": _("gone for good"),
    }[word]


def _quiet(summary: Summary, shown: int) -> Iterator[Block]:
    covered = summary.coverage
    kinds = (
        (_("No item for a week in: {names}."), [term("lang", lang) for lang in covered.quiet_langs]),
        (_("No item for a week from: {names}."), [name(outlet) for outlet in covered.quiet_outlets]),
        (_("No incident for a week of: {names}."), [claim_type(code) for code in covered.quiet_claim_types]),
    )
    if not any(names for _form, names in kinds):
        yield Line(_("Every language, outlet and claim type brought something within the last 7 days."))
    for form, names in kinds:
        if names:
            rest = [_("{n} others").format(n=len(names) - 2 * shown)] if len(names) > 2 * shown else []
            yield Line(form.format(names=_(", ").join([*names[: 2 * shown], *rest])))


def _dropped(summary: Summary) -> Iterator[Block]:
    backlog = summary.coverage.backlog
    rows = [
        (_("items that no model has judged yet"), backlog["unassessed"]),
        (_("flagged items that wait for their incident"), backlog["ungrouped"]),
        (_("flagged items published too long ago for an alert"), backlog["too_old"]),
        (_("incidents that wait for their alert"), backlog["undispatched"]),
        *(
            (_("notices not sent, {why}").format(why=_why(why)), count)
            for why, count in summary.coverage.dropped["occasions"].items()
        ),
        *(
            (_("messages taken back, {why}").format(why=_why(why)), count)
            for why, count in summary.coverage.dropped["messages"].items()
        ),
    ]
    kept = [(what, f"{count:,}") for what, count in rows if count]
    if kept:
        yield _table((_("Last 7 days"), _("Number")), kept[:_KINDS])
    else:
        yield Line(_("Nothing was dropped, and nothing waits for a stage."))


def _why(reason: str) -> str:
    """Why a notice was dropped (see ``alerts.notify``), in the language in use."""
    kind, _colon, code = reason.partition(": ")
    if kind == "decided":
        return _("decided meanwhile ({decision})").format(decision=term("decision", code))
    if kind == "suppressed":
        return _("hidden meanwhile ({suppression})").format(suppression=term("suppression", code))
    known = {
        "snoozed": _("snoozed meanwhile"),
        "every alert in it was decided or suppressed": _("every alert in it was decided or hidden meanwhile"),
        "the receiver is not in the routes file any more": _("its receiver is not in the routes file any more"),
        "the opinion that it asked for is not wanted any more": _("its opinion is not wanted any more"),
    }
    return known.get(reason) or shorten(clean(reason), 80)


def _proof(summary: Summary) -> Iterator[Block]:
    drift, head = summary.coverage.drift, summary.provenance
    yield Line(_("Model: {model}").format(model=drift.model or _("none")))
    yield Line(_drift(drift), Tone.WARN if drift.word is Drifting.DRIFTED else Tone.PLAIN)
    if drift.decided:
        said = ngettext(
            "Of the last {n} decision on a flagged alert {dismissed} found nothing in it.",
            "Of the last {n} decisions on flagged alerts {dismissed} found nothing in them.",
            drift.decided,
        )
        yield Line(said.format(n=drift.decided, dismissed=drift.dismissed))
    yield Line(_("Audit entry {seq}, hash {hash}").format(seq=head["audit_seq"], hash=head["audit_hash"] or "–"))


def _drift(drift: Drift) -> str:
    if drift.word is Drifting.UNKNOWN:
        return _("Drift: not enough items to say.")
    word = {Drifting.STEADY: _("steady"), Drifting.MOVED: _("moved a little")}.get(drift.word, _("moved far"))
    return _(
        "Drift: {word} (index {index:.2f}); {now:.1%} of the newest items are flagged, {before:.1%} a week ago."
    ).format(word=word, index=drift.index, now=drift.flagged, before=drift.flagged_before)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    return Table(tuple(head), tuple(tuple(row) for row in rows))
