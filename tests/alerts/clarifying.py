"""What tests of clarifications share: a desk that publishes, and the way from an alert to a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts import clarifications, queue
from alerts.dispatch import dispatch
from alerts.publish import Published, publish
from monitor.config import Settings, load_file
from monitor.store import Store
from monitor.types import LANGS, ClaimType, Decision, Finding, Lang, Said, Verdict
from tests.alerts.rows import add_incident

CLOSES = Finding(
    rule="facts-closes",
    claim_type=ClaimType.VOTING_PROCEDURE,
    said=Said("The text says that polling ends at 20:00; the official hour is 22:30."),
    evidence="八時",
    rests_on="facts.toml: polling.closes = 22:30",
    weight=0.9,
)
RUMOUR = "街坊群組傳出票站提早於晚上八時關閉，叫人趕快投票"
PUBLISHES = """
[publish]
base_url = "https://clarify.example"
name_en = "Jade Bay Response Team"
name_zh = "翠灣應變小組"
contact_en = "Telephone 2345 6789"
contact_zh = "電話：2345 6789"
"""


def publishing(folder: Path, more: str = "") -> Settings:
    """The settings of a desk that publishes."""
    file = folder / "pollwatch.toml"
    file.write_text(PUBLISHES + more, encoding="utf-8")
    return load_file(file)


class Desk:
    """Shortens calls: who does what, at the moment of the desk."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings, self.now = store, settings, now

    def decided(self, title: str = RUMOUR, verdict: Verdict = Verdict.PARTLY_FALSE, **incident: Any) -> int:
        """An alert that maya decided to clarify; returns its id."""
        about = {"claim_type": ClaimType.VOTING_PROCEDURE, "findings": [CLOSES], "matches": []}
        add_incident(self.store, self.now, title=title, **{**about, **incident})
        dispatch(self.store, self.settings, self.now)
        alert_id = int(queue.take(self.store, self.settings, "maya", self.now)["id"])
        self.decide(alert_id, verdict)
        return alert_id

    def decide(self, alert_id: int, verdict: Verdict) -> None:
        """By maya, who holds it."""
        queue.decide(
            self.store, self.settings, "maya", self.now, alert_id, Decision.CLARIFY, verdict, "the notice of poll"
        )

    def draft(self, alert_id: int, who: str = "maya") -> int:
        return int(clarifications.draft(self.store, self.settings, who, self.now, alert_id)["id"])

    def text(self, id: int) -> str:
        return str(clarifications.show(self.store, self.settings, id)["text"])

    def show(self, id: int) -> Mapping[str, Any]:
        return clarifications.show(self.store, self.settings, id)

    def edit(self, id: int, change: Callable[[str], str], who: str = "maya") -> Mapping[str, Any]:
        return clarifications.edit(self.store, self.settings, who, self.now, id, change(self.text(id)), "3.txt")

    def approve(self, id: int, who: str = "ben", revision: int | None = None) -> Mapping[str, Any]:
        return clarifications.approve(self.store, self.settings, who, self.now, id, revision)

    def withdraw(self, id: int, who: str = "maya") -> Mapping[str, Any]:
        reasons = {Lang.EN: "The hours were changed.", Lang.HANT: "投票時間已更改。"}
        return clarifications.withdraw(self.store, self.settings, who, self.now, id, reasons)

    def publish(self, *ids: int, who: str = "lead") -> Published:
        return publish(self.store, self.settings, who, self.now, ids)

    def published(self, title: str = RUMOUR, verdict: Verdict = Verdict.PARTLY_FALSE, **incident: Any) -> int:
        """A clarification that the public reads; returns its id."""
        id = self.draft(self.decided(title, verdict, **incident))
        self.approve(id)
        self.publish()
        return id

    @property
    def site(self) -> Path:
        return self.settings.path(self.settings.publish.directory)

    def file(self, path: str) -> str:
        return (self.site / path).read_text(encoding="utf-8")


def corrected(text: str, change: str = "The hour was wrong. 時間有誤。") -> str:
    """The text of what is public, with what a correction must say."""
    for lang in LANGS:
        text = text.replace(f"[{lang} change]", f"[{lang} change]\n{change}")
    return text


def complete(text: str) -> str:
    """The text of a draft without facts and contact, with everything that is needed."""
    for lang, fact in (("en", "The roster has her."), ("zh-Hant", "名單上仍有她。")):
        text = text.replace(f"[{lang} fact]\nsource:", f"[{lang} fact]\n{fact}\nsource: 選舉事務署")
        text = text.replace(f"[{lang} contact]\n", f"[{lang} contact]\n2345 6789\n")
    return text
