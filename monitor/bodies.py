"""How large a body may be, and what a .gz file holds. Pure."""

from __future__ import annotations

import zlib

from monitor.errors import FeedError, FeedErrorKind

MAX_RATIO = 200  # of what a body unpacks to and what came over the wire; recorded feeds stay under 20
RATIO_FROM = 1_000_000  # bytes; smaller ones harm nobody
MAX_MEMBERS = 1_000  # of a .gz file; one that is packed in blocks, as for random access, has sixteen a megabyte
GZIP = b"\x1f\x8b"  # every member begins so

_PIECE = 65_536  # bytes


def measure(url: str, size: int, limit: int, packed: int | None = None) -> None:
    """Raise FeedError when a body of ``size`` bytes, unpacked from ``packed``, is too large."""
    if size > limit:
        raise FeedError(url, FeedErrorKind.TOO_LARGE, f"the body is larger than {limit:,} bytes")
    if packed is not None and size > max(RATIO_FROM, MAX_RATIO * packed):
        detail = f"the body unpacks to more than {MAX_RATIO} times its size"
        raise FeedError(url, FeedErrorKind.TOO_LARGE, detail)


def gunzip(url: str, packed: bytearray, limit: int) -> bytes:
    """The text of a .gz file, at most ``limit`` bytes: of all its members, joined as gzip joins them.

    What follows the last one and is none is left aside, as gzip leaves it. Raises FeedError.
    """
    body, at = bytearray(), 0
    for _ in range(MAX_MEMBERS):
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            # Piece by piece: what a member leaves over is copied, and hundreds may follow.
            piece = packed[at : at + _PIECE]
            if not piece:
                raise FeedError(url, FeedErrorKind.HTTP, "the body broke off: a compressed file without its end")
            at += len(piece)
            try:
                body += unpacker.decompress(piece, limit + 1 - len(body))
            except zlib.error as error:
                raise FeedError(url, FeedErrorKind.HTTP, f"the body was badly compressed: {error}") from error
            measure(url, len(body), limit, len(packed))
        at -= len(unpacker.unused_data)
        if not packed.startswith(GZIP, at):
            return bytes(body)
    raise FeedError(url, FeedErrorKind.TOO_LARGE, f"the body is compressed in more than {MAX_MEMBERS:,} parts")
