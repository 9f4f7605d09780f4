"""rota.toml: who is on shift, whose alerts are whose, and the hours at which nobody is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from alerts import queue
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.rota import Rota, load_rota, on_shift, teams_of, told
from alerts.routing import load_routes, rota_problems
from alerts.status import check_configuration
from monitor import seeds
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store import Store
from tests.alerts.rows import add_incident

CALENDAR = Calendar(ZoneInfo("Asia/Hong_Kong"))
EXAMPLE = re.sub(r"(?m)^# ?", "", seeds.text("rota.toml").split("#\n", 1)[1])
POLLS = "[election]\npolling_opens = 2027-03-07T08:30:00\npolling_closes = 2027-03-07T22:30:00\n"


def _use(settings: Settings, rota: str) -> Rota:
    settings.path(settings.files.rota).write_text(rota, encoding="utf-8")
    return load_rota(settings)


def _at(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=CALENDAR.zone)


def test_the_starter_file_changes_nothing_and_its_example_is_right(settings: Settings) -> None:
    """As written by `init` it names no team; its example names every team of routes.toml."""
    assert load_rota(settings) == Rota()
    rota = _use(settings, EXAMPLE)
    assert rota.names == ("desk", "desk-chinese", "police-liaison")
    load_routes(settings)


def test_who_is_on_shift(settings: Settings) -> None:
    """By the local clock, over midnight; a team without shifts is always there; an unknown team has nobody."""
    rota = _use(settings, EXAMPLE)
    assert on_shift(rota, "desk", _at("2027-03-07T07:59"), CALENDAR) == ("ben", "ines")
    assert on_shift(rota, "desk", _at("2027-03-07T08:00"), CALENDAR) == ("maya",)
    assert on_shift(rota, "desk-chinese", _at("2027-03-07T18:00"), CALENDAR) == ("岑",)
    assert on_shift(rota, "desk-chinese", _at("2028-03-07T18:00"), CALENDAR) == ()
    assert on_shift(rota, "police-liaison", _at("2028-03-07T03:00"), CALENDAR) == ("omar",)
    assert on_shift(rota, "elsewhere", _at("2027-03-07T08:00"), CALENDAR) == ()


def test_whom_a_step_tells(settings: Settings) -> None:
    """`team` is the owner, `lead` its lead; each person once; without a rota the teams stand, without people."""
    rota, now = _use(settings, EXAMPLE), _at("2027-03-07T09:00")
    words = ["team", "lead", "police-liaison"]
    teams = ("desk", "lead", "police-liaison")
    assert told(rota, words, "desk", now, CALENDAR) == (teams, ("maya", "lin", "omar"))
    assert told(Rota(), words, "desk", now, CALENDAR) == (teams, ())
    assert told(rota, ["lead"], "police-liaison", now, CALENDAR) == (("lead",), ())


def test_whose_alerts(settings: Settings) -> None:
    """A reviewer's teams; a lead is of all that they lead, and of `lead`; a stranger is of none."""
    rota = _use(settings, EXAMPLE)
    assert teams_of(rota, "maya") == ("desk",)
    assert teams_of(rota, " 岑 ") == ("desk-chinese",)
    assert teams_of(rota, "lin") == ("desk", "desk-chinese", "lead")
    assert teams_of(rota, "nobody") == ()


def test_take_prefers_what_is_for_my_team(store: Store, settings: Settings, now: datetime) -> None:
    """The most urgent for one of my teams, else any; whom the rota does not know takes as ever."""
    english = add_incident(store, now, lang="en", score=0.9)
    chinese = add_incident(store, now, score=0.55)
    more_chinese = add_incident(store, now, score=0.56)
    dispatch(store, settings, now)
    _use(settings, EXAMPLE)
    mine = queue.listing(store, holder="yan", teams=("desk-chinese",), now=now)
    assert [row["incident_id"] for row in mine] == [more_chinese, chinese]
    assert queue.take(store, settings, "yan", now)["incident_id"] == more_chinese
    assert queue.take(store, settings, "stranger", now)["incident_id"] == english
    assert queue.take(store, settings, "maya", now)["incident_id"] == chinese
    mine = queue.listing(store, holder="maya", teams=("desk",), now=now)
    assert [row["incident_id"] for row in mine] == [chinese]


def test_mine_on_the_command_line(store: Store, settings: Settings, folder: Path, now: datetime) -> None:
    """`alerts list --mine` knows the rota."""
    add_incident(store, now)
    dispatch(store, settings, now)
    words = ["-c", str(folder / "pollwatch.toml"), "alerts", "list", "--mine", "--json", "--reviewer"]
    assert CliRunner().invoke(cli, [*words, "yan"]).stdout == ""
    _use(settings, EXAMPLE)
    assert json.loads(CliRunner().invoke(cli, [*words, "yan"]).stdout)["route"] == "desk-chinese"
    assert CliRunner().invoke(cli, [*words, "maya"]).stdout == ""


def test_an_unknown_team_in_routes_is_named(settings: Settings) -> None:
    """File, key, and the team that was probably meant; also where a step tells somebody."""
    _use(settings, EXAMPLE.replace('"desk-chinese"', '"desk-zh"'))
    with pytest.raises(ConfigError, match=r"routes\.toml: route\.routes\.1\.team: names “desk-chinese”.*desk"):
        load_routes(settings)
    _use(settings, EXAMPLE)
    routes = settings.path(settings.files.routes)
    text = routes.read_text(encoding="utf-8").replace('notify = ["team", "lead"]', 'notify = ["dsk"]')
    routes.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"escalation\.default\.P1\.1\.notify: names “dsk”.*did you mean desk\?"):
        load_routes(settings)


def test_hours_of_polling_day_without_anybody_are_named(configure: Callable[[str], Settings]) -> None:
    """`config check` says of which team, from when to when; a team without shifts has no gap."""
    settings = configure(POLLS)
    rota = EXAMPLE.replace('to = "20:00"', 'to = "19:30"').replace("2027-01-01/2027-12-31", "2027-03-07")
    _use(settings, rota)
    first, second = rota_problems(settings)
    assert "rota.toml: shift: nobody of desk is on shift on polling day from 19:30 to 20:00" in first
    assert "nobody of desk-chinese is on shift on polling day from 00:00 to 06:00" in second
    assert check_configuration(settings.file) == [first, second]
    _use(settings, EXAMPLE)
    assert rota_problems(settings) == []


def test_a_team_that_gets_no_p1_then_needs_nobody_then(configure: Callable[[str], Settings]) -> None:
    """Neither a team whose routes take no P1, nor one whose hours are over."""
    settings = configure(POLLS)
    routes = settings.path(settings.files.routes)
    text = routes.read_text(encoding="utf-8")
    days = '[[time_interval]]\nname = "days"\ntimes = [{ from = "06:00", to = "23:30" }]\n'
    hours = '"zh-Hans"] }\nactive_time_intervals = ["days"]'
    _use(settings, EXAMPLE.replace("2027-01-01/2027-12-31", "2027-03-07"))
    assert len(rota_problems(settings)) == 1
    routes.write_text(text.replace('"zh-Hans"] }', hours) + days, encoding="utf-8")
    assert rota_problems(settings) == []
    routes.write_text(text.replace('"zh-Hans"] }', '"zh-Hans"], priority = "P3" }'), encoding="utf-8")
    assert rota_problems(settings) == []


@pytest.mark.parametrize(
    ("old", "new", "mend"),
    [
        ('reviewers = ["maya"]', 'reviewers = ["mia"]', "“mia” has a shift but is not of the team desk"),
        ('team = "desk"', 'team = "dsk"', "did you mean desk"),
        ('name = "desk-chinese"', 'name = "desk"', "two teams have one name"),
        ('name = "desk-chinese"', 'name = "lead"', "a meaning of its own"),
        ('from = "08:00"', 'from = "8 am"', "shift.0.from"),
        ('lead = "lin"', 'leed = "lin"', "team.0.leed: no such key"),
    ],
)
def test_a_wrong_rota_is_named_with_key_and_mend(settings: Settings, old: str, new: str, mend: str) -> None:
    """A typing error never leaves a team without people silently."""
    assert old in EXAMPLE
    with pytest.raises(ConfigError) as caught:
        _use(settings, EXAMPLE.replace(old, new, 1))
    assert mend in str(caught.value)
    assert "rota.toml" in str(caught.value)


def test_a_rota_that_is_not_there(configure: Callable[[str], Settings]) -> None:
    """A folder from before the rota goes on as it was; a rota that the configuration names must be there."""
    settings = configure("")
    settings.path(settings.files.rota).unlink()
    assert load_rota(settings) == Rota()
    with pytest.raises(ConfigError, match=r"elsewhere\.toml: no such file"):
        load_rota(configure('[files]\nrota = "elsewhere.toml"\n'))


def test_a_shift_on_the_night_of_a_clock_change(settings: Settings) -> None:
    """Two shifts that meet at half past one in the hour that comes twice: always exactly one of them is on."""
    rota = _use(
        settings,
        '[[team]]\nname = "desk"\nreviewers = ["ida", "jon"]\n'
        '[[shift]]\nteam = "desk"\nreviewers = "ida"\nfrom = "22:00"\nto = "01:30"\n'
        '[[shift]]\nteam = "desk"\nreviewers = "jon"\nfrom = "01:30"\nto = "22:00"\n',
    )
    dublin = Calendar(ZoneInfo("Europe/Dublin"))
    start = datetime(2027, 10, 31, 0, 0, tzinfo=dublin.zone)
    on = [on_shift(rota, "desk", start.astimezone(CALENDAR.zone) + timedelta(minutes=m), dublin) for m in range(300)]
    assert on == [("ida",)] * 90 + [("jon",)] * 210
