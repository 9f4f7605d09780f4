"""Worker processes for documents, forked from one process that has loaded the parser.

To load it takes as long as to parse a hundred documents, and both cores did it at once where many feeds had news. The
process they are forked from is a fresh interpreter: neither our threads nor our open store get into a worker, nor does
Ctrl-C; nor, should a document ever take it over, what the environment of this process holds.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from typing import Any

from monitor.worker import CODE, ORDER, receive

START_S = 60.0  # that a worker may take to be ready
STOP_S = 5.0
# Modules are found where they were found here. The arguments: seconds, megabytes, and those places.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME")
_COMMAND = (
    "import sys; sys.path[:] = sys.argv[3:]; from monitor.worker import serve_forks; "
    "serve_forks(float(sys.argv[1]), int(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True, eq=False)
class Worker:
    """One that is ready: requests go in by ``writer`` (see ``worker.message``), answers come by ``reader``."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> Any:
        """Its next answer. Raises EOFError or ConnectionError when it is gone."""
        return await receive(self.reader)


class ForkServer:
    """Starts and ends workers. Its process comes with the first of them and goes with the last."""

    def __init__(self, timeout_s: float, memory_mb: int) -> None:
        self._arguments = (str(timeout_s), str(memory_mb))
        self._turn = asyncio.Lock()  # of an order and its answer
        self._process: Process | None = None
        self._orders: socket.socket | None = None
        self._workers = 0

    async def start(self) -> Worker:
        """A worker that is ready. Raises EOFError, OSError or TimeoutError when none can be had."""
        self._workers += 1
        try:
            return await self._start()
        except BaseException:
            await self._one_less(None)
            raise

    async def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            try:
                async with self._turn:
                    socket.send_fds(await self._running(), [ORDER.pack(0)], [theirs.fileno()])
                theirs.close()  # else we would not hear that it is gone
                async with asyncio.timeout(START_S):
                    return Worker(await receive(reader), reader, writer)
            except BaseException:
                writer.close()
                raise

    async def end(self, worker: Worker) -> int | None:
        """Kill a worker, and see it gone. Returns its exit code if it had ended by itself; a signal is negative.

        None when nobody can say, because what it was forked from is gone as well: then it ends as its socket is closed.
        """
        worker.writer.close()
        gone = asyncio.ensure_future(self._one_less(worker.pid))
        try:
            return await asyncio.shield(gone)
        except asyncio.CancelledError:
            await gone  # the pool is left at this very moment, and somebody must see it go
            raise

    async def _running(self) -> socket.socket:
        if self._orders is not None:
            return self._orders
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [sys.executable, "-c", _COMMAND, *self._arguments, *sys.path]
        bare = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdin=theirs.fileno(), start_new_session=True, env=bare
                )
        except BaseException:
            ours.close()
            raise
        self._orders = ours
        return ours

    async def _one_less(self, pid: int | None) -> int | None:
        """End the worker ``pid``; None is one that was never ready: then something is wrong, and all begins anew."""
        async with self._turn:
            code = await self._order(pid) if pid else None
            self._workers -= 1
            if code is None or not self._workers:
                await self._stop()
            return code

    async def _order(self, pid: int) -> int | None:
        if self._orders is None:
            return None
        try:
            self._orders.send(ORDER.pack(pid))
            answer = await asyncio.get_running_loop().sock_recv(self._orders, CODE.size)
        except OSError:
            return None
        return int(CODE.unpack(answer)[0]) if answer else None

    async def _stop(self) -> None:
        """The process ends when it is given no more orders, and its workers with it."""
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._orders = self._process = None
