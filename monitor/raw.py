"""The raw bytes of a feed's entries, as they were served: kept small, and found again. Pure.

What is kept is either the bytes of each entry that was read, as they stand in the document, or the whole document:
where it is no UTF-8, no XML, badly malformed, or its entries lean on each other, no entry has bytes of its own.
"""

from __future__ import annotations

import sys

from monitor.blocks import Blocks
from monitor.types import Document, Raw

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_PACKED = 1_000_000  # bytes; of a larger document only the SHA-256 is kept
_LEVEL = 1  # twice as fast as the default, and a twentieth larger
_packer = zstd.ZstdCompressor(level=_LEVEL)  # to make one takes longer than to pack an entry


def raw_of(document: Document, body: bytes, read: bytes, cutting: Blocks | None) -> Raw | None:
    """The raw bytes of ``document.entries``, of what came as ``body``; None where none was read.

    ``read`` is what the parser was given, ``cutting`` that document cut into entries.
    """
    if not document.entries:
        return None
    blocks = _read_blocks(document, cutting) if body.endswith(read) else ()
    spans, end = [], 0
    for block in blocks:
        spans.append((end, end + len(block)))
        end += len(block)
    packed = _packer.compress(b"".join(blocks) if blocks else body, _packer.FLUSH_FRAME)
    return Raw(packed if len(packed) <= MAX_PACKED else b"", tuple(spans))


def unpack(packed: bytes) -> bytes:
    """The bytes that were packed."""
    return zstd.decompress(packed)


def _read_blocks(document: Document, cutting: Blocks | None) -> tuple[bytes, ...]:
    """The blocks that became the entries of ``document``, one for one; none where that is not so."""
    if cutting is None or not document.marks:
        return ()
    if not document.unread:
        blocks = cutting.blocks
    elif len(document.marks) == len(cutting.blocks):
        marked = zip(cutting.blocks, document.marks, strict=True)
        blocks = tuple(block for block, mark in marked if mark not in document.unread)
    else:
        return ()
    return blocks if len(blocks) == len(document.entries) else ()
