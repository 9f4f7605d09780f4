"""Every page that people read, in the browser: the dashboard, what the public reads, a model's evaluation."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from alerts.web import board
from classifiers.evaluate import Evaluation
from classifiers.report import page
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import open_store
from monitor.types import Verdict
from tests.alerts.clarifying import PUBLISHES, Desk, corrected
from tests.alerts.web.desk import served
from tests.alerts.web.filled import fill
from tests.browser.looking import Scheme, Seen, look, opened

_TOLD = (
    ("街坊群組傳出票站提早於晚上八時關閉", Verdict.PARTLY_FALSE),
    ("Marked ballot papers were found in a warehouse at North Jade", Verdict.FALSE),
    ("有人聲稱憑八達通亦可投票，毋須身份證", Verdict.MISLEADING),
)
DASHBOARD = tuple(path for path in board.PAGES if "{" not in path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[dict[str, str]]:
    """The addresses of all pages by name, on a desk where much has happened."""
    folder = tmp_path_factory.mktemp("desk")
    write_starter(folder)
    shutil.copy(empty_store, folder / "pollwatch.db")
    (folder / "pollwatch.toml").write_text(f"[web]\nport = 0\n{PUBLISHES}", encoding="utf-8")
    settings = load_file(folder / "pollwatch.toml")
    now = datetime.now(UTC)
    with contextlib.closing(open_store(settings.database_url)) as store:
        desk = Desk(store, settings, now)
        again, gone, _new = (desk.published(title, verdict) for title, verdict in _TOLD)
        desk.edit(again, corrected)
        desk.approve(again)
        desk.withdraw(gone)
        desk.approve(gone)
        desk.publish()
        found = fill(store, settings, now)
        with served(store, settings) as address:
            yield {
                **{path: address + path for path in DASHBOARD},
                **{f"incident {name}": f"{address}/incidents/{id}" for name, id in found.items()},
                **{file.relative_to(desk.site).as_posix(): file.as_uri() for file in desk.site.rglob("*.html")},
            }


@pytest.fixture
def seen(browser: Browser) -> Iterator[Seen]:
    """A fresh reader."""
    with opened(browser) as found:
        yield found


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh-Hant", "dark")])
@pytest.mark.parametrize("path", [*DASHBOARD, "incident hostile", "incident blind"])
def test_every_page_of_the_dashboard_is_fit_to_be_read(
    made: dict[str, str], seen: Seen, path: str, lang: str, scheme: Scheme
) -> None:
    """In both languages, at three widths, by day and by night, whatever strangers wrote."""
    look(seen, f"{made[path]}?lang={lang}", scheme)
    assert seen.page.get_attribute("html", "lang") == lang
    if path != "/model/card":  # a document of its own, as `models show --card --out` writes it
        assert seen.page.locator("nav a").count() == 7


def test_what_the_public_reads_is_fit_to_be_read(made: dict[str, str], seen: Seen) -> None:
    """The list, and of each kind of clarification the pages: what is new, corrected, withdrawn."""
    public = {name: url for name, url in made.items() if name.endswith(".html")}
    assert len(public) == 1 + 2 * len(_TOLD)
    for name, url in public.items():
        look(seen, url, "light" if name.startswith("en/") else "dark")


def test_the_page_of_an_evaluation_is_fit_to_be_read(tmp_path: Path, seen: Seen) -> None:
    """Its wide tables scroll in themselves, also for who has no mouse."""
    truth = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0] * 4, dtype=bool)
    scores = np.linspace(0.95, 0.05, 40)
    judge = (scores, scores > 0.5)
    groups = {"lang": ["en", "zh-Hant"] * 20, "kind": ["news", "scam"] * 20, "stance": ["reports", "asserts"] * 20}
    evaluation = Evaluation(truth, groups, dict.fromkeys(("model", "baseline", "majority"), judge))
    file = tmp_path / "evaluation.html"
    file.write_text(page(evaluation, evaluation.figures(), "seed-1", "labelled.jsonl"), encoding="utf-8")
    look(seen, file.as_uri(), "dark")


def test_a_reader_without_script_misses_nothing(made: dict[str, str], browser: Browser) -> None:
    """What is read and where it leads is the same with scripts switched off."""
    context = browser.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(f"{made['/']}?lang=en")
        plain.get_by_role("link", name="Incidents", exact=True).click()
        assert plain.get_by_role("heading", level=1).inner_text() == "Incidents"
        plain.locator("main table a").first.click()
        assert "/incidents/" in plain.url
        assert plain.get_by_role("heading", name="Timeline").count() == 1
    finally:
        context.close()
