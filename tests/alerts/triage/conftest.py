"""Shared by the tests of the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from monitor import language
from monitor.types import Lang
from tests.alerts.triage.seats import Clock


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """The language of the desk is one for the process: each test begins in English."""
    language.use(Lang.EN)
    yield
    language.use(Lang.EN)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)
