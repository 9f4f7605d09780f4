"""How each kind of words is painted, on dark and on light; and contrast, as WCAG 2 computes it. Pure.

Nothing is told by colour alone: every role that means something has a sign or a word of its own as well, and an
attribute that is left where there is no colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from rich.style import Style
from textual.theme import Theme as TextualTheme

AA = 4.5  # the least contrast of text that WCAG 2 calls AA


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #rrggbb: grounds by name, and of each role its ink, with a ground where it has its own."""

    name: str
    dark: bool
    grounds: Mapping[str, str]
    inks: Mapping[str, str | tuple[str, str]]


# bold, underline, reverse: seen without colour too
_ATTRIBUTES: Mapping[str, str] = {
    "title": "bold",
    "head": "bold",
    "key": "bold",
    "p1": "bold",
    "late": "bold",
    "weight": "underline",
    "match": "bold underline",
    "finding": "italic underline",
    "plus": "bold",
    "minus": "strike",
    "warn": "bold",
    "mine": "bold",
}

_ROLES = (
    *("text", "dim", "title", "head", "key", "p1", "p2", "p3", "late", "soon", "mine", "held"),
    *("weight", "match", "finding", "plus", "minus", "warn"),
)

DARK = Theme(
    "pollwatch-dark",
    dark=True,
    grounds={"base": "#14161a", "bar": "#262b33", "cursor": "#27415f", "alarm": "#7a1020"},
    inks={
        "text": "#e6e8ec",
        "dim": "#b4bac5",
        "title": "#ffffff",
        "head": "#9fd3ff",
        "key": "#ffd479",
        "p1": "#ffb0a8",
        "p2": "#ffd08a",
        "p3": "#b5dcff",
        "late": "#ffb0a8",
        "soon": "#ffd08a",
        "mine": "#a8efb8",
        "held": "#e3c8ff",
        "weight": ("#141414", "#ffd75f"),
        "match": ("#06262c", "#7fd6e8"),
        "finding": "#ffd08a",
        "plus": "#a8efb8",
        "minus": "#ffb0a8",
        "warn": "#ffffff",
    },
)

LIGHT = Theme(
    "pollwatch-light",
    dark=False,
    grounds={"base": "#ffffff", "bar": "#e6eaf0", "cursor": "#cfe2fb", "alarm": "#8c0d1f"},
    inks={
        "text": "#1a1d21",
        "dim": "#464d57",
        "title": "#000000",
        "head": "#0b4377",
        "key": "#6b3800",
        "p1": "#8f0013",
        "p2": "#663800",
        "p3": "#0b4377",
        "late": "#8f0013",
        "soon": "#663800",
        "mine": "#0a4a1b",
        "held": "#53207f",
        "weight": ("#141414", "#ffdf80"),
        "match": ("#06262c", "#9fe2ef"),
        "finding": "#663800",
        "plus": "#0a4a1b",
        "minus": "#8f0013",
        "warn": "#ffffff",
    },
)
THEMES = (DARK, LIGHT)


@cache
def style(theme_name: str, role: str, ground: str, *, colour: bool) -> Style:
    """How words of ``role`` are painted on ``ground``; without colour by attributes alone."""
    theme = next(theme for theme in THEMES if theme.name == theme_name)
    attributes = Style.parse(_ATTRIBUTES.get(role, ""))
    if not colour:
        return attributes + Style(reverse=ground in ("cursor", "alarm"))
    ink, behind = pair(theme, role, ground)
    return attributes + Style(color=ink, bgcolor=behind)


def pair(theme: Theme, role: str, ground: str) -> tuple[str, str]:
    """Ink and ground of a role: a ground of its own goes first; on the alarm's ground all is in the one ink of it."""
    if ground == "alarm":
        return theme.inks["warn"] if isinstance(theme.inks["warn"], str) else "", theme.grounds[ground]
    ink = theme.inks[role]
    return ink if isinstance(ink, tuple) else (ink, theme.grounds[ground])


def pairs(theme: Theme) -> dict[tuple[str, str], tuple[str, str]]:
    """Every role on every ground; what warns stands on the alarm's ground alone."""
    return {
        (role, ground): pair(theme, role, ground)
        for role in _ROLES
        for ground in theme.grounds
        if role != "warn" or ground == "alarm"
    }


def as_textual(theme: Theme) -> TextualTheme:
    """The theme for what Textual paints itself."""

    def ink(role: str) -> str:
        return pair(theme, role, "base")[0]

    return TextualTheme(
        name=theme.name,
        dark=theme.dark,
        primary=ink("head"),
        secondary=ink("held"),
        accent=ink("key"),
        foreground=ink("text"),
        background=theme.grounds["base"],
        surface=theme.grounds["bar"],
        panel=theme.grounds["bar"],
        warning=ink("soon"),
        error=ink("late"),
        success=ink("mine"),
    )


def contrast(ink: str, ground: str) -> float:
    """Contrast of two colours, 1 to 21: WCAG 2.2, "contrast ratio" and "relative luminance"."""
    lighter, darker = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
