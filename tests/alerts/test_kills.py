"""The daemon killed again and again under load; tests/benchmarks/kills.py does it a thousand times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks import kills


@pytest.mark.timeout(600)
def test_killed_at_random_moments_the_daemon_loses_and_doubles_nothing(
    tmp_path: Path, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries, edits, incidents, alerts, notices, digests and evidence: each there, each once; no lease, no process."""
    monkeypatch.setattr(kills, "HOSTS", 8)
    monkeypatch.delenv("POLLWATCH_DATABASE__URL", raising=False)
    with kills.lane(0, tmp_path / "lane", new_url(), seed=8) as lane:
        done = kills.run(lane, 6)
    assert done.kills == 6
    assert min(done.counts[each] for each in ("items", "flagged", "alerts", "notices", "digests", "captures")) > 0
