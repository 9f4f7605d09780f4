"""A whole desk at once, killed at random: reviewers and stages in processes of their own, one store, a real receiver.

The small desk runs with every test; one of the size that a shift must stand on demand: ``pytest -m soak -s``.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from alerts import notify
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.routing import load_routes
from monitor.config import Settings
from monitor.store import Store, audit
from monitor.store import alerts as alert_store
from monitor.store import outbox as outbox_store
from monitor.store.schema import alerts, decisions
from monitor.types import LIVE, ClaimType
from tests.alerts.closing import check_notices
from tests.alerts.replay import in_english, replay
from tests.alerts.reviewers import Reviewer, reviewer
from tests.alerts.rows import add_incident
from tests.receiver import Inbox, receiver_server

NAMES = ("maya", "岑", "ben", "欣怡", "ruth", "志明", "omar", "阿May")
RECEIVERS = ("desk", "night")
STAGES = "warden"  # who runs the stages, and silences what is too loud
SAID = (
    ("clarify", "false", "名單上仍有她"),
    ("clarify", "false", "the roster has her"),
    ("clarify", "misleading", "old picture"),
    ("clarify", "partly_false", "half of it"),
    ("watch", None, "quiet so far"),
    ("dismiss", None, "satire"),
    ("duplicate", None, "told twice"),
)
STAGE_ACTS = ("dispatch", "escalate", "notify")
_ACTION = {"send_back": "alert.send-back", "silence": "silence.add", "expire": "silence.expire"}


@dataclass(frozen=True, slots=True)
class Size:
    alerts: int
    reviewers: int
    acts: int  # of each reviewer
    kills: int  # of each reviewer
    stage_kill: float  # how likely a stage is killed while it runs
    tick_s: int  # by the desk's clock, from one act of anybody to the next


SMALL = Size(alerts=60, reviewers=4, acts=45, kills=1, stage_kill=0.1, tick_s=20)
FULL = Size(alerts=5000, reviewers=8, acts=1000, kills=12, stage_kill=0.15, tick_s=2)


@dataclass(frozen=True, slots=True)
class Asked:
    """One act of a reviewer; ``subject`` once it was answered."""

    actor: str
    action: str
    at: datetime
    subject: str = ""


@dataclass
class Desk:
    """What everybody at the desk shares: the store's settings, one clock, and what came of each act."""

    settings: Settings
    now: datetime
    tick: timedelta
    done: list[Asked] = field(default_factory=list)
    unanswered: list[Asked] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def later(self) -> datetime:
        """An instant that nobody was given before."""
        with self._lock:
            self.now += self.tick
            return self.now


class Seat:
    """Somebody's process, started again whenever it was killed."""

    def __init__(self, desk: Desk, name: str, dice: random.Random) -> None:
        self.desk, self.name, self.dice = desk, name, dice
        self._running = ExitStack()
        self._start()

    def _start(self) -> None:
        self._running.close()
        self.process: Reviewer = self._running.enter_context(reviewer(self.desk.settings, self.name))

    def leave(self) -> None:
        """Go home."""
        self._running.close()

    def kill(self) -> None:
        """As `kill -9` does it."""
        self.process.process.send_signal(signal.SIGKILL)

    def ask(self, act: str, *, kill_within_s: float | None = None, may_die: bool = False, **more: Any) -> int | None:
        """The id that the act gave; None when it was refused, or when its process was killed before it answered."""
        now = self.desk.later()
        subject = "silence" if act in ("silence", "expire") else "alert"
        asked = Asked(self.name, _ACTION.get(act, f"alert.{act}"), now)
        self.process.send(0, now, act=act, **more)
        if kill_within_s is not None:
            time.sleep(self.dice.uniform(0, kill_within_s))
            self.kill()
        answer = self.process.answer()
        if answer is None:
            assert self.process.process.wait() == -signal.SIGKILL, f"{act} broke: {more}"
            assert kill_within_s is not None or may_die
        if answer is None or kill_within_s is not None:
            self.desk.kills += 1
            self._start()
        if answer is None:
            self.desk.unanswered.append(asked)
            return None
        if "refused" in answer:
            self.desk.refused[answer["refused"]] += 1
            return None
        if act not in STAGE_ACTS:
            self.desk.done.append(Asked(asked.actor, asked.action, now, f"{subject}:{answer['ok']}"))
        return int(answer["ok"])


def _review(seat: Seat, size: Size) -> None:
    """A reviewer's shift: take, renew, decide, change one's mind; and forget some of what one holds."""
    dice, held, decided = seat.dice, list[int](), [1]
    dying = set(dice.sample(range(size.acts), size.kills))
    for number in range(size.acts):
        kill = 0.03 if number in dying else None
        anyone = dice.randint(1, size.alerts)
        mine = dice.choice(held) if held else anyone
        match dice.random():
            case chance if chance < 0.30 or (not held and chance < 0.65):
                given = seat.ask("take", kill_within_s=kill, **({"id": anyone} if chance < 0.05 else {}))
                held += [given] if given else []
            case chance if chance < 0.65:
                if seat.ask("decide", kill_within_s=kill, id=mine, said=dice.choice(SAID)):
                    decided.append(mine)
                held = [id for id in held if id != mine]
            case chance if chance < 0.72:
                seat.ask("renew", kill_within_s=kill, id=mine)
            case chance if chance < 0.78:
                seat.ask("snooze", kill_within_s=kill, id=mine, minutes=dice.randint(1, 60))
                held = [id for id in held if id != mine]
            case chance if chance < 0.82:
                seat.ask("release", kill_within_s=kill, id=dice.choice([mine, anyone]), reason="交班")
            case chance if chance < 0.90:
                if seat.ask("undo", kill_within_s=kill, id=decided[-1]):
                    held.append(decided[-1])
            case chance if chance < 0.94:
                seat.ask("send_back", kill_within_s=kill, id=mine)
            case chance if chance < 0.97:
                seat.ask("wake", kill_within_s=kill, id=anyone)
            case _:
                seat.ask("reopen", kill_within_s=kill, id=dice.choice([decided[-1], anyone]))
        held = held[-3:]  # the rest is forgotten, and their leases run out


def _run_stages(seat: Seat, size: Size, inbox: Inbox, store: Store, over: threading.Event) -> Counter[str]:
    """The stages in a row, killed at times: anywhere, or just when a receiver has a message and has not answered yet.

    Returns how often a message stood as unsent after a kill though its receiver had it.
    """
    dice, window, silence = seat.dice, Counter[str](), 0
    while not over.is_set():
        for act in STAGE_ACTS:
            before = seat.desk.kills
            chance = dice.random()
            if chance < size.stage_kill / 2:
                seat.ask(act, kill_within_s=0.2)
            else:
                deadly = act == "notify" and chance < 2 * size.stage_kill
                inbox.before_answer = seat.kill if deadly else lambda: None
                seat.ask(act, may_die=deadly)
                inbox.before_answer = lambda: None
            if seat.desk.kills > before:
                time.sleep(0.2)  # what a process sent before it was killed may still be on its way
                inbox.settle()
                with store.read() as connection:
                    unknown = {message.key[:16] for message in outbox_store.unsent(connection)}
                window.update(unknown & {each.key for each in inbox.deliveries})
        if silence:
            seat.ask("expire", id=silence)
            silence = 0
        elif dice.random() < 0.2:
            silence = seat.ask("silence") or 0
    return window


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(FULL, id="full", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_a_desk_that_is_killed_at_random_loses_and_doubles_nothing(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, size: Size
) -> None:
    """Every alert has one history, which explains it whole; every notice arrives, twice only from the answer window."""
    dice = random.Random(20270301)
    began = time.monotonic()
    with receiver_server() as inbox:
        _point_receivers(settings, inbox, monkeypatch)
        _publish(store, settings, now, size.alerts, dice)
        desk = Desk(settings, now, timedelta(seconds=size.tick_s))
        window = _work(desk, size, inbox, store, dice)
        worked = time.monotonic() - began
        _finish(store, settings, desk)
        inbox.settle()
    with store.read() as connection:
        assert audit.verify(connection) is None
        entries = audit.listing(connection)
    _check_histories(store, settings, entries, size.alerts)
    _check_acts(desk, entries)
    copies = check_notices(store, settings, entries, inbox, window)
    print(
        f"{size.alerts} alerts, {len(desk.done)} acts done, {desk.refused.total()} refused {dict(desk.refused)}, "
        f"{desk.kills} kills ({len(desk.unanswered)} without an answer), {len(entries)} audit entries, "
        f"{len(inbox.deliveries)} notices, {copies} copies, {worked:.0f} s at work, {time.monotonic() - began:.0f} s"
    )


def _point_receivers(settings: Settings, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that are told of everything at once, and of nothing again."""
    keys = {"group_wait_s": 0, "group_interval_s": 0, "repeat_interval_s": 604_800, "max_per_hour": 3600}
    routes = settings.path(settings.files.routes)
    lines = [routes.read_text(encoding="utf-8")]
    for name in RECEIVERS:
        lines += ["[[receiver]]", f'name = "{name}"', *(f"{key} = {value}" for key, value in keys.items()), ""]
        monkeypatch.setenv(f"POLLWATCH_RECEIVER_{name.upper()}", inbox.address(name, "?rto=20"))
    routes.write_text("\n".join(lines), encoding="utf-8")


def _publish(store: Store, settings: Settings, now: datetime, count: int, dice: random.Random) -> None:
    """Incidents about different things, but for one in five, which tells what another tells; half about a candidate."""
    titles = [" ".join(_word(dice) for _ in range(8)) for _ in range(count)]
    for number, title in enumerate(titles):
        repeated = number % 5 == 0
        add_incident(
            store,
            now,
            title=titles[number // 2] if repeated else title,
            matches=["cheuk-mong-ching"] if number % 2 else [],
            claim_type=ClaimType.CANDIDATE_FACT if number % 2 else None,
            lang="zh-Hant" if number % 3 == 0 else "en",
        )
    dispatch(store, settings, now)


def _word(dice: random.Random) -> str:
    return "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(3))


def _work(desk: Desk, size: Size, inbox: Inbox, store: Store, dice: random.Random) -> Counter[str]:
    """All at once until every reviewer has done their acts; returns what ``_run_stages`` does."""
    over = threading.Event()
    with ThreadPoolExecutor(size.reviewers + 1) as pool, ExitStack() as seats:
        taken = [Seat(desk, name, random.Random(dice.random())) for name in (*NAMES[: size.reviewers], STAGES)]
        for seat in taken:
            seats.callback(seat.leave)
        *people, stages = taken
        working = pool.submit(_run_stages, stages, size, inbox, store, over)
        shifts = [pool.submit(_review, seat, size) for seat in people]
        try:
            for shift in shifts:
                shift.result()
        finally:
            over.set()
        return working.result()


def _finish(store: Store, settings: Settings, desk: Desk) -> None:
    """Two quiet days later everything is over that ends by itself, and everybody was told."""
    for _ in range(3):
        desk.now += timedelta(hours=16)
        dispatch(store, settings, desk.now)
        escalate(store, settings, desk.now)
        notify.notify(store, settings, desk.now)
    for _ in range(10):
        desk.now += timedelta(hours=1)
        report = notify.notify(store, settings, desk.now)
        if not any(report.counts.values()):
            return
    pytest.fail(f"the last notices do not get through: {report}")


def _check_histories(store: Store, settings: Settings, entries: Sequence[dict[str, Any]], count: int) -> None:
    """Each alert is what its own entries make of it, and each incident has one."""
    histories: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry["subject"].startswith("alert:"):
            histories.setdefault(alert_store.of_subject(entry["subject"]) or 0, []).append(entry)
    assert sorted(histories) == list(range(1, count + 1))
    routes = load_routes(settings)
    with store.read() as connection:
        for id, history in histories.items():
            assert replay(history, settings, routes) == in_english(alert_store.get(connection, id))
        live = select(func.count()).where(alerts.c.state.in_(LIVE)).group_by(alerts.c.incident_id)
        assert set(connection.scalars(live)) <= {1}
        assert connection.scalar(select(func.count(alerts.c.incident_id.distinct()))) == count
        given = connection.execute(select(decisions.c.alert_id, decisions.c.reviewer, decisions.c.at)).all()
    said = [entry for entry in entries if entry["action"] == "alert.decide"]
    told = [(alert_store.of_subject(entry["subject"]), entry["actor"], entry["at"]) for entry in said]
    assert sorted(told) == sorted(tuple(row) for row in given)


def _check_acts(desk: Desk, entries: Sequence[dict[str, Any]]) -> None:
    """What was answered is written, once; what else people have written was under way when its process was killed."""
    people = {*NAMES, STAGES}
    written = Counter(
        Asked(entry["actor"], entry["action"], entry["at"], entry["subject"])
        for entry in entries
        if entry["actor"] in people
    )
    assert set(written.values()) == {1}
    assert len(desk.done) == len(set(desk.done))
    assert set(desk.done) <= set(written)
    rest = [replace(asked, subject="") for asked in set(written) - set(desk.done)]
    assert set(rest) <= set(desk.unanswered)
    assert len(rest) == len(set(rest))
