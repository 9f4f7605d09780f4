"""The soak tells a leak from workers that come and go."""

from __future__ import annotations

import pytest

from tests.benchmarks.soak import Look, growth, leaks


def test_growth_is_not_that_of_what_comes_and_goes() -> None:
    """Workers and connections of a pass are no growth; a slow leak under them is."""
    flat = [Look(at, 200.0 + 100 * (at % 14 < 4), 50 + 400 * (at % 14 < 4)) for at in range(120, 600, 2)]
    leaking = [Look(look.at_s, look.rss_mb + look.at_s / 10, look.files + int(look.at_s)) for look in flat]
    assert growth(flat, "rss_mb", max) == pytest.approx(0)
    assert growth(flat, "files", min) == pytest.approx(0)
    assert growth(leaking, "rss_mb", max) == pytest.approx(45, abs=5)
    assert growth(leaking, "files", min) == pytest.approx(450, abs=30)


def test_a_leak_is_told_and_so_is_a_daemon_that_was_hardly_seen() -> None:
    """Silence means flat, and only that."""
    flat = [Look(at, 200.0, 50) for at in range(120, 600, 2)]
    assert list(leaks(flat)) == []
    assert "open files" in "".join(leaks([Look(look.at_s, 200.0, int(look.at_s)) for look in flat]))
    assert "MB" in "".join(leaks([Look(look.at_s, look.at_s, 50) for look in flat]))
    assert "not seen long enough" in "".join(leaks(flat[:3]))
