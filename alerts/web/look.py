"""What a page is made from, and the words of the frame around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from monitor.config import Settings
from monitor.language import LANGUAGES
from monitor.store import Store
from monitor.types import Lang, Said


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the store: when, in which language, and what the address asked for."""

    store: Store
    settings: Settings
    now: datetime
    lang: Lang
    chosen: bool  # by the address, not by the browser: every link keeps it
    problems: Sequence[Said]  # what needs a person, in the words of `status`
    path: Mapping[str, str]
    page: int = 1

    @property
    def zone(self) -> ZoneInfo:
        """That of the election."""
        return self.settings.calendar.zone

    def to(self, path: str, **query: object) -> str:
        """The address of another page."""
        words = {**query, **({"lang": self.lang.value} if self.chosen else {})}
        return f"{path}?{urlencode(words)}" if words else path


def language(asked: str | None, accepted: str) -> Lang:
    """That of ``?lang=``, else the one that a browser likes best of ours (RFC 9110, 12.5.4); English if none."""
    if asked in LANGUAGES:
        return Lang(asked)
    weighed = []
    for place, part in enumerate(accepted[:1000].split(",")):
        tag, _, parameters = part.partition(";")
        lang = {"zh": Lang.HANT, "en": Lang.EN}.get(tag.strip().lower().partition("-")[0])
        weight = _weight(parameters)
        if lang and weight > 0:
            weighed.append((-weight, place, lang))
    return min(weighed)[2] if weighed else Lang.EN


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
