"""The first page of the digest: what needs a decision, what was clarified, what spreads, what we missed. Pure.

All of it is in the language in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alerts.letter import Block, Entry, Line, Section, Tone, moment
from alerts.summary import Summary
from monitor.language import _, ngettext, render, term, used
from monitor.text import clean, shorten
from monitor.types import Names

TITLE = 100  # characters of a title
NAME = 40  # characters of a name
_OUTLETS = 3  # of an alert, by name


def headline(summary: Summary) -> str:
    """What a lead must know before opening the mail."""
    live, overdue = summary.queue["live"], summary.queue["overdue"]
    if not live:
        return _("nothing to decide") if summary.coverage.feeds["total"] else _("nothing to decide: no feed is watched")
    urgent = summary.queue["by_priority"].get("P1", 0)
    parts = [
        ngettext("{n} to decide", "{n} to decide", live).format(n=live),
        ngettext("{n} urgent (P1)", "{n} urgent (P1)", urgent).format(n=urgent) if urgent else "",
        ngettext("{n} past due", "{n} past due", overdue).format(n=overdue) if overdue else "",
    ]
    return _(", ").join(part for part in parts if part)


def front_page(summary: Summary, shown: int) -> tuple[Section, ...]:
    """The four questions, each with ``shown`` things at most."""
    return (
        Section(_("To decide today"), tuple(_to_decide(summary, shown))),
        Section(_("Clarified"), tuple(_clarified(summary, shown))),
        Section(_("Spreading"), tuple(_spreading(summary, shown))),
        Section(_("Missed or slow"), tuple(_missed(summary, shown))),
    )


def title(words: str | None) -> str:
    """A title on one line; words that were purged are named as such."""
    return shorten(clean(words or ""), TITLE) or _("(its words were purged)")


def name(words: str) -> str:
    """The name of a person or an outlet on one line."""
    return shorten(clean(words), NAME)


def person(names: Mapping[str, Names], id: str, otherwise: str) -> str:
    """What somebody of the watchlist is called in the language in use."""
    return name(names[id][used()] if id in names else otherwise)


def claim_type(code: str | None) -> str:
    """The name of a claim type; in English as well, where a code is no word for a reader."""
    return term("claim_type", code) if code and code != "unclear" else _("claim type unclear")


def more(count: int, where: str) -> Iterator[Block]:
    """That a list is cut, and where the rest is."""
    if count > 0:
        yield Line(
            ngettext("and {n} more: {where}", "and {n} more: {where}", count).format(n=count, where=where), Tone.SOFT
        )


def _to_decide(summary: Summary, shown: int) -> Iterator[Block]:
    if not summary.alerts:
        yield Line(_("Nothing is waiting."))
    for alert in summary.alerts[:shown]:
        late = alert["due_at"] and alert["due_at"] < summary.made_at
        yield Entry(
            text=title(alert["title"]),
            detail=_(" · ").join(_about(alert, summary.names)),
            mark=alert["priority"],
            warning=_("past due since {at}").format(at=moment(alert["due_at"], summary.zone)) if late else "",
        )
    if rest := summary.queue["live"] - min(len(summary.alerts), shown):
        yield Line(ngettext("and {n} more that waits", "and {n} more that wait", rest).format(n=rest), Tone.SOFT)
    if snoozed := summary.queue["snoozed"]:
        yield Line(ngettext("{n} put off for later", "{n} put off for later", snoozed).format(n=snoozed), Tone.SOFT)


def _about(alert: Mapping[str, Any], names: Mapping[str, Names]) -> Iterator[str]:
    yield claim_type(alert["claim_type"])
    if alert["matches"]:
        yield _("about {names}").format(names=_(", ").join(person(names, each, each) for each in alert["matches"][:4]))
    yield spread(alert["items"], alert["outlets"])
    yield _("alert {id}").format(id=alert["id"])
    if alert["review"] == "second":
        yield _("asks for a second opinion")
    elif alert["review"] == "lead":
        yield _("asks for the lead's decision")
    if alert["holder"]:
        yield _("held by {name}").format(name=name(alert["holder"]))


def spread(items: int, outlets: Sequence[str]) -> str:
    """How many items, in which outlets."""
    said = ngettext("{n} item in {outlets}", "{n} items in {outlets}", items)
    named = [name(outlet) for outlet in outlets[:_OUTLETS]]
    if len(outlets) > _OUTLETS:
        named.append(_("{n} others").format(n=len(outlets) - _OUTLETS))
    return said.format(n=items, outlets=_(", ").join(named))


def _clarified(summary: Summary, shown: int) -> Iterator[Block]:
    if not summary.clarified:
        yield Line(_("Nothing was published in this period."))
    for row in summary.clarified[:shown]:
        yield Entry(
            text=title(row["titles"].get(used()) or row["title"]),
            detail=_(" · ").join((moment(row["at"], summary.zone), _ruling(row["verdict"]))),
            mark=_state(row["state"]),
            url=row["urls"].get(used()) or None,
        )
    yield from more(len(summary.clarified) - shown, "pollwatch clarifications list")


def _ruling(verdict: str) -> str:
    """Never beside the title, which says what is so."""
    return _("the claim was ruled: {verdict}").format(verdict=term("verdict", verdict))


def _state(state: str) -> str:
    names = {"published": _("published"), "corrected": _("corrected"), "withdrawn": _("withdrawn")}
    return names.get(state, state)


def _spreading(summary: Summary, shown: int) -> Iterator[Block]:
    if not summary.spreading:
        yield Line(_("No claim came to a second item in this period."))
    for row in summary.spreading[:shown]:
        count = ngettext("{n} new item", "{n} new items", row["new"]).format(n=row["new"])
        outlets = ngettext("{n} outlet", "{n} outlets", row["outlets"]).format(n=row["outlets"])
        known = term("decision", row["decision"]) if row["decision"] else term("state", row["state"] or "open")
        yield Entry(
            text=title(row["title"]),
            detail=_(" · ").join((outlets, claim_type(row["claim_type"]), known)),
            mark=count,
        )


def _missed(summary: Summary, shown: int) -> Iterator[Block]:
    said = [*_too_late(summary), *_not_seen(summary)]
    yield from said
    for row in summary.missed[:shown]:
        yield Entry(
            text=title(row["title"]),
            detail=_("Nothing had flagged it; it was found in a sample: alert {id}").format(id=row["alert_id"]),
            mark=term("verdict", row["verdict"]),
        )
    if not said and not summary.missed:
        yield Line(_("Nothing that we know of: no alert came too late, no sample was false, every feed is asked."))


def _too_late(summary: Summary) -> Iterator[Line]:
    slow, overdue = summary.slow, summary.queue["overdue"]
    if overdue:
        yield Line(ngettext("{n} alert is past due.", "{n} alerts are past due.", overdue).format(n=overdue), Tone.WARN)
    forms = {
        "take_late": ngettext(
            "{n} of {all} new alerts was not taken in time.",
            "{n} of {all} new alerts were not taken in time.",
            slow["take_late"],
        ),
        "decide_late": ngettext(
            "{n} of {all} new alerts was not decided in time.",
            "{n} of {all} new alerts were not decided in time.",
            slow["decide_late"],
        ),
        "let_go": ngettext(
            "{n} of {all} new alerts was held until its lease ran out.",
            "{n} of {all} new alerts were held until their leases ran out.",
            slow["let_go"],
        ),
    }
    yield from (Line(form.format(n=slow[name], all=slow["opened"])) for name, form in forms.items() if slow[name])


def _not_seen(summary: Summary) -> Iterator[Line]:
    feeds, waiting = summary.coverage.feeds, summary.coverage.backlog["unassessed"]
    silent = feeds["words"].get("silent", 0)
    if not feeds["total"]:
        yield Line(_("No feed is watched: nothing was looked at."), Tone.WARN)
    if summary.coverage.drift.model is None:
        yield Line(_("There is no model: nothing is judged."), Tone.WARN)
    if feeds["failing"]:
        said = ngettext("{n} feed fails.", "{n} feeds fail.", feeds["failing"])
        yield Line(said.format(n=feeds["failing"]), Tone.WARN)
    if silent:
        yield Line(ngettext("{n} feed is silent.", "{n} feeds are silent.", silent).format(n=silent), Tone.WARN)
    if waiting:
        said = ngettext("{n} item is not judged yet.", "{n} items are not judged yet.", waiting)
        yield Line(said.format(n=f"{waiting:,}"), Tone.WARN)
    if summary.parity:
        yield from (Line(shorten(clean(render(warning)), 400), Tone.WARN) for warning in summary.parity.warnings)
