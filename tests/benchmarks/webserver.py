"""A real web server for the benchmarks: nginx on loopback, one address for every feed, with or without validators."""

from __future__ import annotations

import contextlib
import ctypes
import getpass
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.corpus import copy_of, with_new_entry

START_S = 20.0
_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 16384;
pid nginx.pid;
events {{ worker_connections 8192; }}
http {{
  default_type application/xml;
  sendfile on;
  log_format answers '$server_addr $status';
  access_log answers.log answers;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  server {{
    {listen}
    root {root}/$server_addr;
    {validators}
  }}
}}
"""
_NO_VALIDATORS = 'etag off; if_modified_since off; add_header Last-Modified "";'


class Site:
    """``feeds`` feeds, copies of ``documents`` in turn, each on a loopback address of its own under ``folder``."""

    def __init__(self, folder: Path, documents: Sequence[bytes], feeds: int) -> None:
        self.folder = folder
        self.originals = [copy_of(documents[number % len(documents)], number) for number in range(feeds)]
        self.addresses = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(feeds)]
        with socket.socket() as free:
            free.bind(("0.0.0.0", 0))  # noqa: S104 - only asks for a port that is free on every address
            self.port: int = free.getsockname()[1]
        self.urls = [f"http://{address}:{self.port}/feed.xml" for address in self.addresses]

    def answers(self) -> list[tuple[str, int]]:
        """Address and status of every answer so far, in order."""
        time.sleep(0.1)  # a line is written after its answer was sent
        log = self.folder / "answers.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(address, int(status)) for address, status in (line.split() for line in lines)]

    def publish(self, at: datetime, numbers: Sequence[int] | None = None, new: str | None = None) -> None:
        """Write the documents (all, or those of ``numbers``) as changed at ``at``; with one new entry named ``new``.

        The name stands in guid and link, so another name is another entry; there is never more than one.
        """
        for number in range(len(self.urls)) if numbers is None else numbers:
            body = self.originals[number]
            if new is not None:
                body = with_new_entry(body, f"{new}-{number}", datetime.now(UTC).replace(microsecond=0))
            file = self.folder / "www" / self.addresses[number] / "feed.xml"
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(".new")
            fresh.write_bytes(body)
            os.utime(fresh, (at.timestamp(), at.timestamp()))
            fresh.replace(file)  # whole, or not yet

    @contextlib.contextmanager
    def serving(self, *, validators: bool) -> Iterator[None]:
        """Serve the documents; ``validators``: whether ETag and Last-Modified are sent and 304 is answered.

        Raises RuntimeError with nginx's own words when it does not start. It ends with this block, and with us.
        """
        (self.folder / "temp").mkdir(exist_ok=True)
        configuration = _CONFIGURATION.format(
            user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
            listen=" ".join(f"listen {address}:{self.port};" for address in self.addresses),
            root=self.folder / "www",
            validators="" if validators else _NO_VALIDATORS,
        )
        (self.folder / "nginx.conf").write_text(configuration, encoding="utf-8")
        command = [str(_nginx()), "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log"]
        server = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509 - one call of libc, no thread is running
        try:
            self._wait(server)
            yield
        finally:
            server.terminate()
            server.wait()

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until and server.poll() is None:
            with contextlib.suppress(ConnectionError), socket.create_connection((self.addresses[-1], self.port)):
                return
            time.sleep(0.02)
        raise RuntimeError(f"nginx does not run: {(self.folder / 'error.log').read_text(errors='replace')[-500:]}")


def check_ready(feeds: int) -> None:
    """Whether so many feeds can be served here. Raises RuntimeError with the mend."""
    if _nginx() is None:
        raise RuntimeError("the feeds are served by nginx, which is not installed: apt install nginx")
    allowed, wanted = resource.getrlimit(resource.RLIMIT_NOFILE)[0], 2 * feeds + 1000
    if allowed < wanted:
        raise RuntimeError(
            f"{feeds:,} feeds on as many addresses need more open files than {allowed}: ulimit -n {wanted}"
        )


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


def _end_with_parent() -> None:
    """Runs in the child: no server is left behind, however we end."""
    _libc.prctl(_PDEATHSIG, signal.SIGTERM)
