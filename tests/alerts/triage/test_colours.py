"""The desk's colours: contrast enough for everybody, and nothing told by colour alone."""

from __future__ import annotations

import pytest

from alerts.triage import colours
from alerts.triage.colours import AA, DARK, LIGHT, THEMES, Theme, contrast


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21; a grey that WCAG's own examples use is just enough."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#777777", "#ffffff") < AA


@pytest.mark.parametrize("theme", THEMES)
def test_every_role_is_readable_on_every_ground(theme: Theme) -> None:
    """WCAG AA, in the dark and in the light theme."""
    poor = {key: contrast(*pair) for key, pair in colours.pairs(theme).items() if contrast(*pair) < AA}
    assert poor == {}


def test_without_colour_attributes_are_left() -> None:
    """The cursor is turned round, weighed words are underlined, and no colour is asked for."""
    for role in ("text", "weight", "match", "late"):
        for ground in DARK.grounds:
            style = colours.style(LIGHT.name, role, ground, colour=False)
            assert style.color is None
            assert style.bgcolor is None
            assert bool(style.reverse) == (ground in ("cursor", "alarm"))
    assert colours.style(DARK.name, "weight", "base", colour=False).underline
