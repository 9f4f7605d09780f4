"""As a service of systemd: it says that it is ready, gives signs of life, and may do little else than its work."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from alerts.process import tell_systemd, watchdog_s
from monitor import seeds

UNIT = "deploy/pollwatch.service"


def test_the_daemon_tells_systemd_how_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY once it works, WATCHDOG again and again, STOPPING when it is asked to end."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"{short}/notify")
        heard.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "alerts", "run"],
            cwd=folder,
            env={**os.environ, "NOTIFY_SOCKET": f"{short}/notify", "WATCHDOG_USEC": "400000"},
            stderr=subprocess.DEVNULL,
        )
        try:
            words = [heard.recv(100) for _ in range(4)]
            assert words == [b"READY=1", *[b"WATCHDOG=1"] * 3]
            process.send_signal(signal.SIGTERM)
            while (word := heard.recv(100)) == b"WATCHDOG=1":
                pass
            assert word == b"STOPPING=1"
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
            process.wait()


def test_nothing_is_said_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by hand, by a systemd that is gone, or with a watchdog that is another process's or malformed."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_systemd("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    tell_systemd("READY=1")
    assert watchdog_s() is None
    for given, of, wanted in (("60000000", None, 30), ("60000000", "1", None), ("soon", None, None), ("0", None, None)):
        monkeypatch.setenv("WATCHDOG_USEC", given)
        monkeypatch.setenv("WATCHDOG_PID", of or str(os.getpid()))
        assert watchdog_s() == wanted


def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins with @ is none of the file system."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"\0pollwatch-test-{os.getpid()}")
        heard.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@pollwatch-test-{os.getpid()}")
        tell_systemd("READY=1")
        assert heard.recv(100) == b"READY=1"


def test_the_unit_exposes_little() -> None:
    """By systemd's own measure at most 2.0 of 10; and what must hold is written there, measured or not."""
    text = seeds.text(UNIT)
    for line in ("Type=notify", "WatchdogSec=60", "NoNewPrivileges=yes", "ProtectSystem=strict", "User=pollwatch"):
        assert f"\n{line}\n" in text
    if shutil.which("systemd-analyze"):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", seeds.folder() / UNIT],
            capture_output=True,
            text=True,
            check=True,
        )
        found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
        assert found is not None
        assert float(found.group(1)) <= 2.0
