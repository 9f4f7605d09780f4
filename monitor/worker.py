"""What runs in worker processes: documents come in by a socket, and what they hold goes out by it.

A module of its own, because it is loaded where workers are forked (see ``forkserver``) and needs little beside the
parser. Nothing of the daemon is here but what it sends.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import traceback
from io import BufferedRWPair
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import parse
from monitor.types import Document

if TYPE_CHECKING:
    from asyncio import StreamReader

OUT_OF_MEMORY = 77  # the exit code of a worker that gave up
SIZE = struct.Struct("<Q")  # of a message, in front of it
ORDER = struct.Struct("<q")  # which process is to be ended; 0, with a socket beside it: a worker is wanted there
CODE = struct.Struct("<i")  # how that process ended
_GRACE_S = 5  # how much longer than the parent's patience an orphaned worker may live

Outcome = Document | tuple[FeedErrorKind, str]


def message(content: Any) -> bytes:
    """``content`` as it goes through a pipe: its size, then itself."""
    packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return SIZE.pack(len(packed)) + packed


async def receive(reader: StreamReader) -> Any:
    """What ``message`` made, at the other end. Raises EOFError and ConnectionError."""
    head = await reader.readexactly(SIZE.size)
    return pickle.loads(await reader.readexactly(*SIZE.unpack(head)))  # noqa: S301 - our own worker


def serve_forks(timeout_s: float, memory_mb: int) -> None:
    """Fork and end workers by the orders that come in by standard input (a socket), until that ends: with the parent.

    Then all of them are ended.
    """
    os.dup2(2, 1)  # what some library prints is no output of the parent
    gc.freeze()  # else its marks would copy the memory that is shared
    workers: set[int] = set()
    try:
        with socket.socket(fileno=0) as orders, contextlib.suppress(ConnectionError):
            while (order := socket.recv_fds(orders, ORDER.size, 1))[0]:
                (pid,) = ORDER.unpack(order[0])
                if pid:
                    code = _end(pid) if pid in workers else 0
                    workers.discard(pid)
                    orders.send(CODE.pack(code))
                elif pid := os.fork():
                    workers.add(pid)
                    os.close(order[1][0])
                else:
                    orders.close()
                    _work(order[1][0], timeout_s, memory_mb)
    finally:
        for pid in workers:
            _end(pid)


def _end(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)  # our child, and not waited for yet: nobody else has its number
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _work(file: int, timeout_s: float, memory_mb: int) -> NoReturn:
    code = 1
    try:
        _bound_memory(memory_mb)
        with socket.socket(fileno=file) as link, link.makefile("rwb") as stream:
            serve(stream, timeout_s)
        code = 0
    except ConnectionError:  # the parent was killed: nobody waits for what we would say
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    except BaseException:  # noqa: BLE001 - told, and no fork goes on as its parent
        traceback.print_exc()
    finally:
        os._exit(code)


def serve(stream: BufferedRWPair, timeout_s: float) -> None:
    """Say who we are, then answer document after document until the stream ends. Raises ConnectionError."""
    _write(stream, os.getpid())  # ready
    while (request := _read(stream)) is not None:
        _write(stream, _answer(timeout_s, *request))


def _read(stream: BufferedRWPair) -> Any:
    head = stream.read(SIZE.size)
    return pickle.loads(stream.read(SIZE.unpack(head)[0])) if head else None  # noqa: S301 - from our own parent


def _write(stream: BufferedRWPair, content: Any) -> None:
    stream.write(message(content))
    stream.flush()


def _bound_memory(megabytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _answer(
    timeout_s: float, body: bytes, url: str, content_type: str | None, zone: ZoneInfo, known: frozenset[bytes]
) -> Outcome:
    """Errors travel as values, in words."""
    # The alarm is left to the system's own handler, which ends the process even inside a stuck regular expression.
    signal.setitimer(signal.ITIMER_REAL, timeout_s + _GRACE_S)
    try:
        return parse(body, url, content_type, zone, known)
    except FeedError as error:
        return error.kind, error.detail
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # what was half built is gone with the process
    except Exception as error:  # noqa: BLE001 - our own fault, told by the parent as such
        return FeedErrorKind.INTERNAL, f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
