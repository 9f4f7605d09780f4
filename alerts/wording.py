"""What a message to a receiver says, in English or Traditional Chinese: plain text in fixed words. Pure.

Titles come from strangers and end up in services that read markup: nothing in one may link, ping, or format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.priority import priority_name
from alerts.receivers import Kind
from monitor.taxonomy import Taxonomy
from monitor.text import clean, shorten
from monitor.types import Alert, IncidentFacts, Lang

SHOWN = 8  # alerts named in one message: it stays below the 2,000 characters that chat services take
TITLE_WIDTH = 90
KEY_WIDTH = 16  # hexadecimal digits of the key that stand in the message

# Signs that markup, mentions and links are made of, as their full-width twins, which mean nothing to a machine.
_SIGNS = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "@<>[]`*_~|\\&#{}$"})
_SCHEME = re.compile(r":(?=//)|(?<=\btel):|(?<=\bmailto):", re.IGNORECASE)
_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2})")


@dataclass(frozen=True, slots=True)
class Line:
    """One alert in a message, and why it is told: each kind with its detail, in the order in which they happened."""

    alert: Alert
    facts: IncidentFacts
    why: Sequence[tuple[Kind, Mapping[str, Any]]]


_WORDS: Mapping[str, Mapping[str, str]] = {
    Lang.EN: {
        "one": "pollwatch: alert, {priority}",
        "many": "pollwatch: {count} alerts, most urgent {priority}",
        "more": "and {count} more: see the queue (pollwatch alerts list)",
        "line": "{priority} alert {id}: {title}",
        "facts": "{why} · {claim_type} · {outlets} · due {due}",
        "outlet": "{count} outlet",
        "outlets": "{count} outlets",
        "unclear": "claim type unclear",
        "date": "%d %b %H:%M",
        "join": "; ",
        "test": "pollwatch: test",
        "test_body": "This is a test. No alert is behind it.",
        "overdue": "pollwatch: the digest of {date} is overdue",
        "overdue_body": "Receivers who have not had it: {n}. Why: pollwatch status",
        Kind.NEW: "new",
        Kind.RAISED: "more urgent, was {was}",
        Kind.ESCALATED: "not handled in time, escalated to level {level}",
        Kind.REMINDED: "reminder, level {level}",
        Kind.REOPENED: "back in the queue",
        "undone": "its decision was taken back, and it is held again",
        Kind.SECOND: "asks for a second opinion",
        Kind.LEAD: "two opinions differ, asks for the lead's decision",
        Kind.EXPIRED: "lease ran out, back in the queue",
        Kind.REPEATED: "still open",
    },
    Lang.HANT: {
        "one": "pollwatch：警示，{priority}",
        "many": "pollwatch：{count} 則警示，最緊急 {priority}",
        "more": "另有 {count} 則，請看隊列（pollwatch alerts list）",
        "line": "{priority} 警示 {id}：{title}",
        "facts": "{why} · {claim_type} · {outlets} · 期限 {due}",
        "outlet": "{count} 個媒體",
        "outlets": "{count} 個媒體",
        "unclear": "類型未明",
        "date": "%m月%d日 %H:%M",
        "join": "；",
        "test": "pollwatch：測試",
        "test_body": "這是測試，並無相關警示。",
        "overdue": "pollwatch：{date} 的日報逾時未送達",
        "overdue_body": "尚未收到的收件者：{n} 人。原因請見：pollwatch status",
        Kind.NEW: "新警示",
        Kind.RAISED: "更緊急，原為 {was}",
        Kind.ESCALATED: "逾時未處理，升級至第 {level} 級",
        Kind.REMINDED: "再次提醒，第 {level} 級",
        Kind.REOPENED: "重回隊列",
        "undone": "決定已撤回，現由原審核員處理",
        Kind.SECOND: "須由另一人覆核",
        Kind.LEAD: "兩人意見不一，請主管裁決",
        Kind.EXPIRED: "持有逾時，已回到隊列",
        Kind.REPEATED: "仍未處理",
    },
}


def compose(
    lang: Lang, lines: Sequence[Line], more: int, key: str, zone: ZoneInfo, taxonomy: Taxonomy
) -> tuple[str, str]:
    """Title and body of a message about ``lines`` (at least one, at most SHOWN) and ``more`` alerts not named."""
    words = _WORDS[lang]
    urgent = priority_name(min(line.alert.priority for line in lines))
    count = len(lines) + more
    title = words["one" if count == 1 else "many"].format(count=count, priority=urgent)
    body = [_line(line, lang, zone, taxonomy) for line in lines]
    if more:
        body.append(words["more"].format(count=more))
    return _with_key(title, key), "\n".join(body)


def compose_test(lang: Lang, key: str) -> tuple[str, str]:
    """Title and body of a test."""
    return _with_key(_WORDS[lang]["test"], key), _WORDS[lang]["test_body"]


def compose_overdue(lang: Lang, day: date, missing: int, key: str) -> tuple[str, str]:
    """Title and body of a notice that ``missing`` receivers have not had the digest of ``day``; it names none."""
    words = _WORDS[lang]
    title = words["overdue"].format(date=day.isoformat())
    return _with_key(title, key), words["overdue_body"].format(n=missing)


def harmless(text: str) -> str:
    """A stranger's words on one short line, in which no service finds a mention, a link or markup."""
    plain = clean(text).translate(_SIGNS)
    return shorten(_DOMAIN_DOT.sub("(.)", _SCHEME.sub("：", plain)), TITLE_WIDTH)


def _with_key(title: str, key: str) -> str:
    # In the title, for a service that takes only short texts cuts the end of the body.
    return f"{title} ({key[:KEY_WIDTH]})"


def _line(line: Line, lang: Lang, zone: ZoneInfo, taxonomy: Taxonomy) -> str:
    words, alert, facts = _WORDS[lang], line.alert, line.facts
    outlets = len(facts.outlets)
    head = words["line"].format(priority=priority_name(alert.priority), id=alert.id, title=harmless(facts.title))
    why = words["join"].join(dict.fromkeys(_why(kind, detail, words) for kind, detail in line.why))
    rest = words["facts"].format(
        why=why,
        claim_type=taxonomy[facts.claim_type].names[lang] if facts.claim_type else words["unclear"],
        outlets=words["outlet" if outlets == 1 else "outlets"].format(count=outlets),
        due=_local(alert.due_at, zone, words["date"]),
    )
    return f"{head}\n  {rest}"


def _why(kind: Kind, detail: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return words["undone" if "held" in detail else kind].format(**detail)


def _local(moment: datetime | None, zone: ZoneInfo, form: str) -> str:
    return moment.astimezone(zone).strftime(form) if moment else "-"
