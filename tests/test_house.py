"""What holds for the house as a whole: layers and doors, light help, complete docs, a complete wheel."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import click
import pytest

import alerts
import classifiers
import monitor
from alerts.cli import cli
from monitor import errors, seeds
from monitor.errors import PollwatchError
from monitor.types import ClaimType
from tests import reference

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_imports_go_down_and_libraries_come_in_by_one_door() -> None:
    """The contracts of pyproject.toml, exhaustive: a new file must find its place in them."""
    script = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run(
        [script, "--config", ROOT / "pyproject.toml", "--no-cache"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    not os.environ.get("CI") and "site-packages" not in str(monitor.__file__), reason="editable checkout"
)
def test_the_wheel_is_tested_not_the_folder() -> None:
    """The installed packages are the ones under test, and they hold seeds, migrations and templates."""
    for package in (monitor, classifiers, alerts):
        assert package.__file__ is not None
        assert ROOT not in Path(package.__file__).parents or ".venv" in package.__file__
        assert "site-packages" in package.__file__
    assert "site-packages" in str(seeds.folder())
    names = {str(file) for file in metadata.files("pollwatch") or []}
    for wanted in (
        "monitor/seed_data/examples.jsonl",
        "monitor/seed_data/feeds.opml",
        "monitor/store/migrations/versions/0001_the_first_schema.py",
        "monitor/seed_data/clarification.toml",
        "alerts/templates/digest.html",
        "alerts/templates/clarification.html",
        "alerts/templates/clarification.css",
        "alerts/templates/web.css",
        "alerts/templates/web_page.html",
        "classifiers/templates/evaluation.html",
        "classifiers/templates/card.html",
        "classifiers/templates/figures.css",
        "alerts/oversight_verify.py",
        "monitor/seed_data/generic/config.toml",
        "monitor/py.typed",
        "monitor/locale/zh_Hant/LC_MESSAGES/pollwatch.mo",
    ):
        assert wanted in names
    assert not any(name.startswith(("tests/", "seeds/")) for name in names)


def _help(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_help_loads_nothing_heavy() -> None:
    """`--help` of the root and of every command answers before any library of weight is loaded."""
    heavy = (
        "sklearn",
        "numpy",
        "rjieba",
        "aiohttp",
        "sqlalchemy",
        "alembic",
        "apscheduler",
        "feedparser",
        "pydantic",
        "jinja2",
        "prometheus_client",
        "apprise",
        "PIL",
        "textual",
    )
    code = (
        "import sys, contextlib, io\n"
        "from alerts.cli import main\n"
        "for words in (['--help'], ['feeds', 'add', '--help'], ['classify', '--help'], ['triage', '--help']):\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "        main(words)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    assert _help(code).stdout.strip() == "[]"


def test_help_costs_less_than_a_third_of_a_second() -> None:
    """CPU time of the best of five runs: what the program costs, not what the machine was doing."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _help("from alerts.cli import main; main(['--help'])")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert best < 0.3


@pytest.mark.parametrize(("name", "command"), list(reference.commands()))
def test_every_command_is_explained(name: str, command: click.Command) -> None:
    """Help that says what it does, a real example, and `--json` wherever something is printed."""
    assert command.help
    assert command.epilog
    assert "Example:" in command.epilog
    assert name in command.epilog.replace(" -c pollwatch.toml", "") or "|" in command.epilog
    assert any("--json" in parameter.opts for parameter in command.params), name


def test_readme_is_up_to_date() -> None:
    """The references in README are what the code says today."""
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "-I", str(ROOT), "--check", str(ROOT / "README.md")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "run: python -m cogapp -I . -r README.md\n" + done.stdout + done.stderr


def test_every_test_that_readme_names_is_there() -> None:
    """A promise in a table is held by the test beside it."""
    named = set(re.findall(r"`(test_\w+)`", README))
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 15
    assert named <= set(re.findall(r"^def (test_\w+)\(", tests, re.MULTILINE))


def test_every_promised_command_is_there() -> None:
    """What scripts may rely on."""
    there = {name for name, _ in reference.commands(cli)}
    promised = """
        init|demo|config check|feeds add|feeds import|feeds export|feeds list|feeds check|feeds enable|feeds disable
        collect|items list|items show|items search|items add|items reindex|classify|run
        alerts list|alerts show|alerts take|alerts renew|alerts release
        alerts decide|alerts snooze|alerts reopen|alerts undo|silences add|silences list|silences expire
        digest|models train|models list|models evaluate|models explain|models promote|models show
        models rollback|routes test|audit list|watchlist test|claims match|audit verify|audit export|db upgrade|db check
        status|web|notify list|notify test|clocks|evidence list|evidence verify|evidence export|publish
        clarifications list|clarifications show|clarifications draft
        clarifications edit|clarifications approve|clarifications withdraw|clarifications discard
        clarifications text|clarifications card|drill run|drill plan
    """
    assert {
        f"pollwatch {name.strip()}" for line in promised.split("\n") for name in line.split("|") if name.strip()
    } <= there


def _tree(error: type[PollwatchError]) -> list[type[PollwatchError]]:
    return [error, *(e for child in error.__subclasses__() for e in _tree(child))]


def test_every_error_stands_in_the_tree_and_has_an_exit_code() -> None:
    """A new error is drawn at the top of errors.py, or this fails."""
    for error in _tree(PollwatchError):
        assert error.__name__ in str(errors.__doc__)
        assert error.exit_code in (1, 2)
        assert error.__doc__


def test_the_taxonomy_names_every_claim_type() -> None:
    """In three scripts, with a meaning and a priority."""
    table = seeds.toml("taxonomy.toml")
    assert set(table) == {claim_type.value for claim_type in ClaimType} | {"terms"}
    for claim_type in ClaimType:
        row = table[claim_type]
        assert row["zh-Hant"]
        assert row["zh-Hans"]
        assert row["meaning"]
        assert 1 <= row["priority"] <= 4
