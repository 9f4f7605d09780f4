"""Parity: every candidate and camp counted, errors against the others', and no warning without enough to go by."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, select, update

from alerts import queue
from alerts.cli.parity import parity as command
from alerts.dispatch import dispatch
from alerts.parity import Parity, judge, read_parity, risk_ratio
from alerts.status import status
from monitor import language
from monitor.cli import base
from monitor.config import Settings
from monitor.reference import in_both
from monitor.store import Connection, Store
from monitor.store.parity import Group, named
from monitor.store.schema import alerts, assessments, incident_items, incidents, items
from monitor.types import AlertState, Candidate, Decision, Lang, Verdict
from tests.alerts.rows import add_incident, add_item, assess

ANNA = Candidate(id="anna", names=("Änna Fjørd",), party=("Tide", "潮"))
BO = Candidate(id="bo", names=("Bo Quill",), party=("Ember",))
CLEO = Candidate(id="cleo", names=("簡曉",), party=("Tide",))
IRIS = Candidate(id="iris", names=("Iris Loom",))  # stands for no party
FIELD = (ANNA, BO, CLEO, IRIS)
CALLED = {each.id: in_both(each.names) for each in FIELD} | {"anna": {Lang.EN: "Änna Fjørd", Lang.HANT: "費安娜"}}


def _flag(incident: int, *names: str, **keys: object) -> Group:
    return Group(frozenset(names), 1, True, incident, incident, Decision.DISMISS)._replace(**keys)  # type: ignore[arg-type]


def _judge(seen: dict[str, int], flags: Sequence[Group]) -> Parity:
    """Of so many items that name whom, and of which some were flagged."""
    quiet = Counter({frozenset(names.split()): count for names, count in seen.items()})
    quiet.subtract(flag.names for flag in flags)
    return judge([*(Group(names, count, flagged=False) for names, count in quiet.items()), *flags], FIELD, CALLED)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((10, 100, 5, 100), (2.0, 0.7089, 5.6421)),  # by hand: exp(ln 2 ± 1.96 √0.28)
        ((5, 100, 10, 100), (0.5, 0.1772, 1.4105)),  # the other way round, the reciprocal
        ((0, 100, 10, 100), (0.0476, 0.0028, 0.8017)),  # half a unit added to each: 0.5/100.5 against 10.5/100.5
        ((30, 30, 30, 30), (1.0, 1.0, 1.0)),
    ],
)
def test_the_interval_of_katz(counts: tuple[float, ...], expected: tuple[float, ...]) -> None:
    """The ratio of two rates and its interval, calculated by hand; a zero gives no infinity."""
    assert risk_ratio(*counts) == pytest.approx(expected, abs=1e-4)


def test_each_candidate_and_camp_is_counted() -> None:
    """An item that names two counts for both, and once for their camp; offices and the unnamed count for nobody."""
    minute = timedelta(minutes=1)
    found = _judge(
        {"anna": 40, "anna cleo": 10, "bo police": 30, "police": 99},
        [
            _flag(1, "anna", took=minute * 5),
            _flag(1, "anna", "cleo", took=minute * 5),
            _flag(2, "bo", decision=Decision.CLARIFY, verdict=Verdict.FALSE, took=minute * 9),
            _flag(3, "anna", decision=Decision.REFER, verdict=Verdict.TRUE, took=minute),
            _flag(4, "bo", decision=None),
            _flag(5, "police"),
        ],
    )
    rows = {row.key: (row.items, row.flagged, row.decided_false, row.dismissed) for row in found.candidates}
    assert rows == {"anna": (50, 3, 0, 3), "bo": (30, 2, 1, 0), "cleo": (10, 1, 0, 1), "iris": (0, 0, 0, 0)}
    camps = {row.key: (row.items, row.flagged, row.dismissed) for row in found.camps}
    assert camps == {"Tide": (50, 3, 3), "Ember": (30, 2, 0)}
    anna, bo, cleo, iris = found.candidates
    assert (anna.name, anna.camp, iris.camp) == ("Änna Fjørd", "Tide", None)
    assert (anna.decide_p50_s, bo.decide_p50_s, cleo.decide_p50_s, iris.decide_p50_s) == (60, 540, 300, None)
    assert iris.ratio is None
    assert found.warnings == ()  # far too little to say anything


def test_a_candidate_wronged_more_often_is_warned_of() -> None:
    """Ratio and interval outside, on enough items and errors; the sentence names it, as each language does."""
    errors = [_flag(number, "anna") for number in range(20)] + [_flag(number, "bo") for number in range(20, 24)]
    found = _judge({"anna": 200, "bo": 200}, errors)
    anna, bo, *_ = found.candidates
    assert anna.ratio == pytest.approx(5.0)
    assert (anna.warns, bo.warns) == (True, True)  # whom errors spare is told of too
    assert "Änna Fjørd was flagged in error 5.00 times" in found.warnings[0].text
    language.use("zh-Hant")
    assert "費安娜" in (told := language.render(found.warnings[0]))
    assert "誤報" in told
    assert "Fjørd" not in told


@pytest.mark.parametrize(
    ("seen", "errors"),
    [
        ({"anna": 200, "bo": 200}, [*range(11), *range(100, 110)]),  # 1.1 times: within the bounds
        ({"anna": 29, "bo": 400}, range(9)),  # too few items
        ({"anna": 200, "bo": 200}, range(4)),  # too few errors
        ({"anna": 200, "bo": 200}, [*range(6), 100, 101, 102]),  # twice, by accident as likely as not
        ({"anna": 200}, range(50)),  # nobody to compare with
    ],
)
def test_nothing_is_warned_of_by_accident(seen: dict[str, int], errors: Sequence[int]) -> None:
    """A ratio within 0.8 to 1.25, or one that a handful of items made, warns of nobody."""
    flags = [_flag(number, "bo" if number >= 100 else "anna") for number in errors]
    assert _judge(seen, flags).warnings == ()


def test_a_flood_of_copies_wrongs_nobody() -> None:
    """Forty copies of four stories are four errors; forty stories are forty."""
    others = [_flag(number, "bo") for number in range(100, 104)]
    copies = _judge({"anna": 600, "bo": 600}, [*(_flag(n % 4, "anna") for n in range(40)), *others])
    stories = _judge({"anna": 600, "bo": 600}, [*(_flag(n, "anna") for n in range(40)), *others])
    assert copies.candidates[0].ratio == stories.candidates[0].ratio == pytest.approx(10)
    wide, narrow = (found.candidates[0] for found in (copies, stories))
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < 1 < narrow.low
    assert (copies.candidates[0].warns, stories.candidates[0].warns) == (False, True)


@pytest.fixture
def decided(store: Store, settings: Settings, now: datetime) -> None:
    """An item about Cheuk, dismissed, one about Chik found false, and one that nobody flagged about both."""
    add_incident(store, now, outlets=("Harbour Daily", "Tide Post"))
    add_incident(store, now, title="Marcus Chik sells votes", matches=["chik-kai-hong"], lang="en")
    dispatch(store, settings, now)
    later = now + timedelta(minutes=10)
    for alert_id, act, verdict in ((1, Decision.DISMISS, None), (2, Decision.REFER, Verdict.FALSE)):
        queue.take(store, settings, "maya", now + timedelta(minutes=1), alert_id)
        queue.decide(store, settings, "maya", later, alert_id, act, verdict, "opinion: 只是意見")
    with store.write() as connection:
        both = ["cheuk-mong-ching", "chik-kai-hong", "harbour-city-police"]
        item_id = add_item(connection, now, 1, "Pier Notes", "卓望晴與戚啟航出席論壇")
        assess(connection, now, item_id, score=0.1, matches=both)
        connection.execute(update(assessments).where(assessments.c.item_id == item_id).values(flagged=False))


@pytest.mark.usefixtures("decided")
def test_it_is_read_from_what_happened(store: Store, settings: Settings, now: datetime) -> None:
    """Items by whom they name, outcomes of the alerts, and the time from alert to decision; each period its own."""
    found = read_parity(store, settings, now, now + timedelta(seconds=1))
    cheuk, chik = found.candidates[:2]
    assert (cheuk.key, cheuk.name, cheuk.camp) == ("cheuk-mong-ching", "卓望晴", "Lighthouse Alliance")
    assert (cheuk.items, cheuk.flagged, cheuk.dismissed, cheuk.decided_false) == (3, 2, 2, 0)
    assert (chik.items, chik.flagged, chik.dismissed, chik.decided_false) == (2, 1, 0, 1)
    assert (cheuk.decide_p50_s, chik.decide_p50_s) == (600, 600)
    assert cheuk.called == {"en": "Vivian Cheuk", "zh-Hant": "卓望晴"}
    camps = {row.key: row.items for row in found.camps}
    assert camps == {"Lighthouse Alliance": 3, "Banyan Forum": 2, "New Tide": 0}
    before = read_parity(store, settings, now - timedelta(days=1), now)
    assert {row.items for row in before.candidates} == {0}


@pytest.mark.usefixtures("decided")
def test_edits_models_and_undone_decisions(store: Store, settings: Settings, now: datetime) -> None:
    """An item judged again still counts once, for all that any of its texts named; what is reopened is no error."""
    with store.write() as connection:
        assess(connection, now, 1, score=0.1, matches=["man-pui-lam"], revision=1, model_id="reviewed-2")
    queue.reopen(store, settings, "maya", now + timedelta(minutes=20), 1, "sent back")
    rows = {row.key: row for row in read_parity(store, settings, now, now + timedelta(seconds=1)).candidates}
    assert (rows["cheuk-mong-ching"].items, rows["man-pui-lam"].items) == (3, 1)
    assert rows["man-pui-lam"].flagged == 1
    assert rows["cheuk-mong-ching"].dismissed == 0


def test_one_statement_counts_as_a_person_would(store: Store, now: datetime) -> None:
    """Items judged by several models and texts, some in incidents with several alerts: as read row by row."""
    rng = random.Random(7)
    with store.write() as connection:
        for number in range(1, 31):
            connection.execute(insert(incidents).values(**_incident(number, now)))
            for copy in range(rng.randrange(1, 4)):
                seen_at = now + timedelta(minutes=rng.randrange(-30, 90))
                item_id = add_item(connection, seen_at, number, f"Outlet {copy}", f"故事 {number}")
                for revision in range(rng.randrange(3)):
                    names = rng.choices(("anna", "bo", "cleo", "police"), k=rng.randrange(4))
                    assess(connection, now, item_id, score=0.5, matches=names, revision=revision)
                    if rng.random() < 0.5:
                        this = (assessments.c.item_id == item_id, assessments.c.revision == revision)
                        connection.execute(update(assessments).where(*this).values(flagged=False))
                if rng.random() < 0.2:
                    connection.execute(delete(incident_items).where(incident_items.c.item_id == item_id))
            for later in range(rng.randrange(4)):
                connection.execute(insert(alerts).values(**_alert(rng, number, now, is_last=later == 2)))
    end = now + timedelta(hours=1)
    with store.read() as connection:
        found: Counter[Group] = Counter()
        for group in named(connection, now, end):
            found[group._replace(items=1)] += group.items
        assert found == Counter(_one_by_one(connection, now, end))
    assert {group.flagged for group in found} == {True, False}
    assert len({group.decision for group in found}) > 2


def _alert(rng: random.Random, incident: int, now: datetime, *, is_last: bool) -> dict[str, object]:
    opened = now + timedelta(seconds=rng.randrange(999))
    decision = rng.choice((None, Decision.DISMISS, Decision.CLARIFY))
    return {
        "incident_id": incident,
        "state": rng.choice((AlertState.SECOND_REVIEW, AlertState.DECIDED)) if is_last else AlertState.CLOSED,
        "priority": 2,
        "priority_reasons": [],
        "level": 0,
        "score": 0.5,
        "route": "desk",
        "opened_at": opened,
        "due_at": opened,
        "decided_at": opened + timedelta(microseconds=rng.randrange(10**9)) if decision else None,
        "decision": decision,
        "verdict": Verdict.FALSE if decision is Decision.CLARIFY else None,
    }


def _one_by_one(connection: Connection, start: datetime, end: datetime) -> Iterator[Group]:
    """Each item that names somebody, put together from whole tables."""
    judged = connection.execute(select(assessments)).all()
    member = {row.item_id: row.incident_id for row in connection.execute(select(incident_items))}
    opened = connection.execute(select(alerts).order_by(alerts.c.id)).all()
    for item in connection.execute(select(items)):
        own = [row for row in judged if row.item_id == item.id]
        names = frozenset(match["candidate_id"] for row in own for match in row.matches)
        if not names or not start <= item.first_seen_at < end:
            continue
        if not any(row.flagged for row in own):
            yield Group(names, flagged=False)
            continue
        incident = member.get(item.id)
        last = next((row for row in reversed(opened) if row.incident_id == incident and row.decision), None)
        if last is None or last.state not in (AlertState.DECIDED, AlertState.CLOSED):
            yield Group(names, incident_id=incident)
        else:
            took = last.decided_at - last.opened_at
            decision, verdict = Decision(last.decision), Verdict(last.verdict) if last.verdict else None
            yield Group(names, 1, True, incident, last.id, decision, verdict, took)


@pytest.mark.usefixtures("decided")
def test_by_line(settings: Settings, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Two tables and their JSON; a wrong time is refused."""
    runner, context = CliRunner(), base.Context(settings.file)
    period = ("--since", "2027-03-01", "--until", "2027-03-02T00:00+08:00")
    shown = runner.invoke(command, period, obj=context)
    assert shown.exit_code == 0, shown.output
    assert "Vivian Cheuk" in shown.stdout
    assert "Banyan Forum" in shown.stdout
    told = json.loads(runner.invoke(command, [*period, "--json"], obj=context).stdout)
    assert told["since"] == "2027-03-01T00:00:00+08:00"
    assert set(told) == {"since", "until", "candidates", "camps", "warnings"}
    assert told["candidates"][0]["decide_p50_s"] == 600
    assert runner.invoke(command, ["--until", "soon"], obj=context).exit_code == 2


def test_status_notes_it(store: Store, settings: Settings, now: datetime) -> None:
    """A warning is a note of `status`: somebody should look, but nothing is broken."""
    names = ["cheuk-mong-ching"] * 20 + ["chik-kai-hong"] * 20
    with store.write() as connection:
        for number, name in enumerate(names):
            connection.execute(insert(incidents).values(**_incident(number, now)))
            for copy in range(3):
                item_id = add_item(connection, now, number + 1, f"Outlet {copy}", f"story {number}")
                assess(connection, now, item_id, score=0.7, matches=[name])
    dispatch(store, settings, now)
    later = now + timedelta(minutes=1)
    assert not [note for note in status(store, settings, later)["notes"] if "flagged in error" in note]
    queue.decide_many(store, settings, "maya", later, range(1, 16), Decision.DISMISS, None, "not-false: 屬實")
    (first, *_) = [note for note in status(store, settings, later)["notes"] if "flagged in error" in note]
    assert first.startswith("what names Vivian Cheuk")


def _incident(number: int, now: datetime) -> dict[str, object]:
    seen = {"created_at": now, "first_seen_at": now, "last_seen_at": now}
    return {"title": f"story {number}", "claim_type": "candidate-fact", "lang": "en", **seen}
