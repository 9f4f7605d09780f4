"""Shared by the tests of the top floor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.telling import Tell
from tests.receiver import Inbox, receiver_server


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A service that keeps what it is sent."""
    with receiver_server() as found:
        yield found


@pytest.fixture
def receivers(folder: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Write receivers into routes.toml, each with its address in the environment."""

    def write(*names: str, rto: float = 5, **keys: Any) -> None:
        file = folder / "routes.toml"
        lines = [file.read_text(encoding="utf-8").partition("[[receiver]]")[0]]
        for name in names:
            lines += ["[[receiver]]", f'name = "{name}"', *(f"{key} = {value!r}" for key, value in keys.items()), ""]
            variable = f"POLLWATCH_RECEIVER_{name.upper().replace('-', '_')}"
            monkeypatch.setenv(variable, inbox.address(name, f"?rto={rto}"))
        file.write_text("\n".join(lines), encoding="utf-8")

    return write
