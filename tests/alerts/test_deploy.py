"""The files that start the daemon, and what it tells whoever started it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alerts.deploy import Kind, deployment
from monitor import __version__
from monitor.errors import InputError

PROGRAM, FOLDER = Path("/opt/pollwatch/bin/pollwatch"), Path("/srv/選舉 desk".replace(" ", "-"))


def test_the_unit_leaves_little_to_attack(tmp_path: Path) -> None:
    """systemd's own judgement of what the daemon could still reach: at most 2.0 of 10."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    unit = tmp_path / "pollwatch.service"
    unit.write_text(deployment(Kind.SYSTEMD, PROGRAM, FOLDER, "desk"), encoding="utf-8")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:] + judged.stderr
    assert "Overall exposure" in judged.stdout
    assert "Unknown" not in judged.stderr


def test_a_folder_in_a_home_can_be_written() -> None:
    """A unit that hides homes would hide a desk that lies in one."""
    assert "ProtectHome=yes" in deployment(Kind.SYSTEMD, PROGRAM, FOLDER, "desk")
    assert "ProtectHome=read-only" in deployment(Kind.SYSTEMD, PROGRAM, Path("/home/ming/desk"), "ming")
    assert "ProtectHome=read-only" in deployment(Kind.SYSTEMD, Path("/root/venv/bin/pollwatch"), FOLDER, "desk")


@pytest.mark.parametrize(
    ("folder", "user"),
    [
        (Path("/srv/a b"), "desk"),
        (Path("/srv/a\nExecStart=/bin/sh"), "desk"),
        (Path('/srv/"a'), "desk"),
        (Path("/srv/$HOME"), "desk"),
        (FOLDER, "desk\nExecStart=/bin/sh"),
        (FOLDER, "-x"),
        (FOLDER, "選"),
        (FOLDER, ""),
    ],
)
def test_nothing_else_gets_into_a_unit(folder: Path, user: str) -> None:
    """A path or a name that its syntax could read as something else is refused."""
    with pytest.raises(InputError):
        deployment(Kind.SYSTEMD, PROGRAM, folder, user)


def test_a_per_cent_sign_is_one() -> None:
    """systemd would put something else in its place."""
    assert "WorkingDirectory=/srv/100%%n\n" in deployment(Kind.SYSTEMD, PROGRAM, Path("/srv/100%n"), "desk")


def test_by_line(folder: Path) -> None:
    """`deploy` prints a file and installs nothing."""
    before = sorted(folder.iterdir())
    wheel = f"/wheels/pollwatch-{__version__}-*.whl"
    for kind, line in (("systemd", f"WorkingDirectory={folder.resolve()}"), ("container", wheel)):
        done = subprocess.run(
            [sys.executable, "-m", "alerts", "deploy", kind], cwd=folder, capture_output=True, text=True, check=True
        )
        assert line in done.stdout
        assert "$" not in done.stdout.replace("$$", "")
    assert sorted(folder.iterdir()) == before


def test_the_supervisor_is_told(folder: Path, tmp_path: Path) -> None:
    """Ready when it works, alive again and again, stopping when it stops; as sd_notify(3) has it."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "alerts", "run"],
            cwd=folder,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "600000"},
        )
        try:
            assert supervisor.recv(4096).startswith(b"READY=1\nSTATUS=runs on ")
            assert supervisor.recv(4096) == b"WATCHDOG=1"
            process.send_signal(signal.SIGSTOP)  # a daemon that hangs says nothing
            time.sleep(0.5)
            _drain(supervisor)
            supervisor.settimeout(1)
            with pytest.raises(TimeoutError):
                supervisor.recv(4096)
            process.send_signal(signal.SIGCONT)
            supervisor.settimeout(60)
            assert supervisor.recv(4096) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            while (said := supervisor.recv(4096)) == b"WATCHDOG=1":
                pass
            assert said == b"STOPPING=1"
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


def _drain(supervisor: socket.socket) -> None:
    supervisor.setblocking(False)
    try:
        while supervisor.recv(4096):
            pass
    except BlockingIOError:
        return
