"""A clarification as schema.org's ClaimReview, which search engines read: JSON-LD. Pure.

Google asks for ``claimReviewed``, ``reviewRating`` with its ``alternateName``, and ``url``; the rest makes it useful.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.phrases import BEST, WORST, VerdictWords
from monitor.text import clean
from monitor.types import Lang, Statement

# What could end a script element or begin a comment in it; and what JavaScript once took for the end of a line.
_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def claim_review(  # noqa: PLR0913 - one for each thing that it says
    statement: Statement,
    lang: Lang,
    verdict: VerdictWords,
    *,
    url: str,
    publisher: str,
    publisher_url: str,
    published_at: datetime,
    modified_at: datetime,
    claimed_at: datetime | None,
) -> dict[str, Any]:
    """The review of one page; ``url`` is the page's own."""
    organisation = {"@type": "Organization", "name": publisher, "url": publisher_url}
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": verdict.word[lang]}
    if verdict.rating is not None:
        rating |= {"ratingValue": verdict.rating, "worstRating": WORST, "bestRating": BEST}
    claim: dict[str, Any] = {"@type": "Claim", "text": clean(statement.claim)}
    if claimed_at is not None:
        claim["datePublished"] = claimed_at.isoformat(timespec="seconds")
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": url,
        "name": statement.title,
        "inLanguage": lang.value,
        "datePublished": published_at.isoformat(timespec="seconds"),
        "dateModified": modified_at.isoformat(timespec="seconds"),
        "author": organisation,
        "publisher": organisation,
        "claimReviewed": clean(statement.claim),
        "itemReviewed": claim,
        "reviewRating": rating,
    }


def as_json(review: Mapping[str, Any]) -> str:
    """As text that can stand in a file and inside of a script element: nothing in it ends that."""
    return json.dumps(review, ensure_ascii=False, indent=1).translate(_UNSAFE)
