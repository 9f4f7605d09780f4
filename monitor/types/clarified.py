"""What is told to the public about a claim: clarifications, their texts and the versions that were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.types.published import Lang
from monitor.types.reviewed import Verdict


class ClarificationState(StrEnum):
    """Where the text of a clarification stands. The last three say what the public sees, and that nothing waits."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


LANGS = (Lang.EN, Lang.HANT)  # those that a clarification can be written in, in the order of the text


@dataclass(frozen=True, slots=True)
class Fact:
    """What is so, and the one line that says where it is known from; ``link`` is its address, if it has one."""

    text: str
    source: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A clarification in one language. Texts may have several lines; an empty line parts paragraphs."""

    title: str = ""
    facts: tuple[Fact, ...] = ()
    claim: str = ""  # as quoted
    advice: str = ""  # what readers are asked to do
    contact: str = ""
    change: str = ""  # what a correction or a withdrawal changes, and why


Texts = Mapping[Lang, Statement]


def languages_of(texts: Texts) -> tuple[Lang, ...]:
    """Those in which a clarification is written, in their order."""
    return tuple(lang for lang in LANGS if lang in texts)


def page_path(slug: str, lang: Lang) -> str:
    """Where the page of a clarification is in one language: below the folder, and below the address of the site."""
    return f"{lang}/{slug}.html"


def page_url(base_url: str, slug: str, lang: Lang) -> str:
    """The address of that page; empty where the site has none."""
    return f"{base_url}/{page_path(slug, lang)}" if base_url else ""


@dataclass(frozen=True, slots=True)
class Version:
    """What was published at one time; ``state`` is what it made of the clarification."""

    number: int  # 1, 2, …
    state: ClarificationState
    verdict: Verdict
    texts: Texts
    published_at: datetime
    writers: tuple[str, ...]
    approved_by: str
    published_by: str


@dataclass(frozen=True, slots=True)
class Clarification:
    """What the team tells the public about the claim of one alert. ``slug`` names its pages, for good."""

    id: int
    alert_id: int
    slug: str
    uid: str  # UUID, from which the identifiers in feeds are made
    state: ClarificationState
    verdict: Verdict
    texts: Texts
    revision: int  # counts every change of the text
    writers: tuple[str, ...]  # who drafted or edited what the text says since the last version
    drafted_at: datetime
    claimed_at: datetime | None = None  # when the claim was first published, as far as it is known
    approved_by: str | None = None
    approved_at: datetime | None = None
    withdrawing: bool = False  # what waits is the withdrawal of what is public
    versions: tuple[Version, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether readers are told something that is not withdrawn."""
        return bool(self.versions) and self.versions[-1].state is not ClarificationState.WITHDRAWN
