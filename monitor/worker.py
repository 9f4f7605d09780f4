"""What runs in a worker process: documents come in by its standard input, and what they hold goes out by its output.

A module of its own, because it is loaded in every worker and needs little beside the parser. Nothing of the parent is
here but what it sends: neither its threads nor its open store.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import parse
from monitor.types import Document

OUT_OF_MEMORY = 77  # the exit code of a worker that gave up
SIZE = struct.Struct("<Q")  # of a message, in front of it
_GRACE_S = 5  # how much longer than the parent's patience an orphaned worker may live

Outcome = Document | tuple[FeedErrorKind, str]


def message(content: Any) -> bytes:
    """``content`` as it goes through a pipe: its size, then itself."""
    packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return SIZE.pack(len(packed)) + packed


def serve(timeout_s: float, memory_mb: int) -> None:
    """Say that we are ready, then answer document after document until the pipe ends: with the parent at the latest."""
    _bound_memory(memory_mb)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what some library prints must not get between the answers
    try:
        _write(target, None)  # ready
        while (request := _read(source)) is not None:
            _write(target, _answer(timeout_s, *request))
    except BrokenPipeError:  # the parent was killed: nobody waits for what we would say
        os._exit(0)


def _read(source: BinaryIO) -> Any:
    head = source.read(SIZE.size)
    return pickle.loads(source.read(SIZE.unpack(head)[0])) if head else None  # noqa: S301 - from our own parent


def _write(target: BinaryIO, content: Any) -> None:
    target.write(message(content))
    target.flush()


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
