"""Forty-eight hours around a polling day with a clock of our own: every step at its minute, to the people on shift."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from alerts import queue
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.rehearsal import rehearse
from monitor.config import Settings
from monitor.store import Store, audit
from monitor.types import ClaimType, Decision
from tests.alerts.rows import add_incident

ELECTION = """
[election]
nomination_opens = 2027-01-10
nomination_closes = 2027-01-20
polling_opens = 2027-03-07T08:30:00
polling_closes = 2027-03-07T22:30:00
"""
# maya by day and ben with ines by night on the desk, yan by day and 岑 by night on the Chinese one; lin leads both.
ROTA = """
[[team]]
name = "desk"
reviewers = ["maya", "ben", "ines"]
lead = "lin"
[[team]]
name = "desk-chinese"
reviewers = ["yan", "岑"]
lead = "lin"
[[team]]
name = "police-liaison"
reviewers = ["omar"]
[[shift]]
team = "desk"
reviewers = "maya"
from = "08:00"
to = "20:00"
[[shift]]
team = "desk"
reviewers = ["ben", "ines"]
from = "20:00"
to = "08:00"
[[shift]]
team = "desk-chinese"
reviewers = "yan"
from = "06:00"
to = "20:15"
[[shift]]
team = "desk-chinese"
reviewers = "岑"
from = "20:15"
to = "06:00"
"""
P1, P2, P4 = ClaimType.VOTING_PROCEDURE, ClaimType.CANDIDATE_FACT, ClaimType.OPINION_OR_SATIRE
PLANTED = {  # day and local time, and what appears then
    "6 12:10": ("column", P4, "en"),
    "6 13:00": ("hours", P1, "en"),
    "6 19:50": ("queue", P1, "zh-Hant"),
    "6 23:50": ("midnight", P1, "en"),
    "7 07:58": ("handover", P1, "en"),
    "7 10:00": ("past", P2, "en"),
    "7 23:30": ("count", P1, "zh-Hans"),
    "8 03:50": ("asleep", P1, "en"),
}
ACTS = {  # who takes or decides what
    "6 13:40": ("maya", "take", "hours"),
    "6 13:48": ("maya", "decide", "hours"),
    "6 20:00": ("岑", "take", "queue"),
    "6 20:12": ("岑", "take", "queue"),
    "6 21:25": ("lin", "take", "queue"),
    "6 21:30": ("lin", "decide", "queue"),
    "7 00:40": ("ben", "take", "midnight"),
    "7 00:48": ("ben", "decide", "midnight"),
    "7 08:04": ("maya", "take", "handover"),
    "7 08:13": ("maya", "renew", "handover"),
    "7 08:22": ("maya", "renew", "handover"),
    "7 08:31": ("maya", "decide", "handover"),
    "7 11:30": ("maya", "take", "past"),
    "7 12:02": ("maya", "take", "past"),
    "7 12:05": ("maya", "decide", "past"),
    "8 02:40": ("岑", "take", "count"),
    "8 02:45": ("岑", "decide", "count"),
}
ASLEEP = ("8 04:00", "8 05:59")  # the program does not run
NIGHT, LEADS = ["ben", "ines"], ["lin"]
HAPPENED = [
    ("6 13:15", "hours", "taken-1", ["maya"]),
    ("6 13:30", "hours", "taken-2", ["maya", "lin"]),
    ("6 20:10", "queue", "lease", "岑"),
    ("6 20:10", "queue", "taken-1", ["yan"]),
    ("6 20:22", "queue", "lease", "岑"),
    ("6 20:22", "queue", "taken-2", ["岑", "lin"]),
    ("6 20:22", "queue", "decided-1", LEADS),  # forgotten twice
    ("6 21:22", "queue", "again decided-1", LEADS),
    ("7 00:00", "midnight", "taken-1", NIGHT),  # polling day begins, and its policy
    ("7 00:00", "midnight", "taken-2", [*NIGHT, "lin"]),
    ("7 00:10", "midnight", "again taken-2", [*NIGHT, "lin"]),
    ("7 00:20", "midnight", "decided-1", LEADS),
    ("7 00:35", "midnight", "again decided-1", LEADS),
    ("7 08:03", "handover", "taken-1", ["maya"]),  # opened at night, due after the handover
    ("7 08:28", "handover", "decided-1", LEADS),  # held all the time, and not decided
    ("7 10:30", "past", "taken-1", ["maya"]),
    ("7 11:00", "past", "taken-2", LEADS),
    ("7 11:40", "past", "lease", "maya"),
    ("7 12:00", "past", "decided-1", LEADS),
    ("7 12:10", "column", "taken-1", ["maya"]),
    ("7 23:45", "count", "taken-1", ["岑"]),
    ("8 00:00", "count", "taken-2", ["岑", "lin"]),
    ("8 00:30", "count", "again taken-2", ["岑", "lin"]),
    ("8 01:00", "count", "again taken-2", ["岑", "lin"]),
    ("8 01:30", "count", "decided-1", LEADS),
    ("8 02:30", "count", "again decided-1", LEADS),
    ("8 06:00", "asleep", "taken-1", NIGHT),  # what came due meanwhile, in order, each once
    ("8 06:00", "asleep", "taken-2", [*NIGHT, "lin"]),
    ("8 06:00", "asleep", "decided-1", LEADS),
    ("8 07:00", "asleep", "again decided-1", LEADS),
    ("8 08:00", "asleep", "again decided-1", LEADS),
    ("8 09:00", "asleep", "again decided-1", LEADS),
    ("8 10:00", "asleep", "again decided-1", LEADS),
    ("8 11:00", "asleep", "again decided-1", LEADS),
]


class Desk:
    """A desk that lives minute by minute."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.ids: dict[str, int] = {}

    def live(self, now: datetime) -> None:
        """What happens in one minute: something appears, somebody acts, the stages look."""
        clock = local(now, self.settings)
        if clock in PLANTED:
            name, claim_type, lang = PLANTED[clock]
            add_incident(self.store, now, title=name, claim_type=claim_type, lang=lang)
            dispatch(self.store, self.settings, now)
            self.ids[name] = max(row["id"] for row in queue.listing(self.store))
        if clock in ACTS:
            self._act(*ACTS[clock], now)
        if not ASLEEP[0] <= clock <= ASLEEP[1]:
            escalate(self.store, self.settings, now)

    def _act(self, who: str, act: str, name: str, now: datetime) -> None:
        alert = self.ids[name]
        if act == "take":
            queue.take(self.store, self.settings, who, now, alert)
        elif act == "renew":
            queue.renew(self.store, self.settings, who, now, alert)
        else:
            queue.decide(self.store, self.settings, who, now, alert, Decision.REFER, None, "passed on")


def local(now: datetime, settings: Settings) -> str:
    """Day of the month and time, as people on the desk say it."""
    return now.astimezone(settings.calendar.zone).strftime("%-d %H:%M")


def test_two_days_around_the_poll(store: Store, configure: Callable[[str], Settings]) -> None:
    """Each step, reminder and expiry at its minute, once, to those who are on shift then, and nothing else."""
    settings = configure(ELECTION)
    settings.path(settings.files.rota).write_text(ROTA, encoding="utf-8")
    routes = settings.path(settings.files.routes)
    text = routes.read_text(encoding="utf-8")  # without rules of priority: each alert has that of its claim type
    routes.write_text("priority = []\n" + text[: text.index("# Priorities start")], encoding="utf-8")
    desk = Desk(store, settings)
    start = datetime(2027, 3, 6, 12, 0, tzinfo=settings.calendar.zone)
    for minute in range(48 * 60):
        desk.live(start + timedelta(minutes=minute))
    names = {f"alert:{id}": name for name, id in desk.ids.items()}
    happened = []
    with store.read() as connection:
        assert audit.verify(connection) is None
        for entry in audit.listing(connection):
            if entry["actor"] == "clock":
                detail, again = entry["detail"], "again " if entry["action"] == "alert.remind" else ""
                step = "lease" if entry["action"] == "lease.expired" else again + detail["step"]
                who = detail.get("people", detail.get("holder"))
                happened.append((local(entry["at"], settings), names[entry["subject"]], step, who))
    assert happened == HAPPENED
    opened = datetime(2027, 3, 7, 23, 30, tzinfo=settings.calendar.zone)
    foreseen = rehearse(settings, ["claim_type=voting-procedure", "lang=zh-Hans"], opened)["steps"]
    assert [(local(step["at"], settings), "count", step["step"], step["people"]) for step in foreseen] == [
        each for each in HAPPENED if each[1] == "count" and not each[2].startswith("again")
    ]
