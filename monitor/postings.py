"""Which texts of a block hold which grams and pairs, packed into few rows of bytes. Pure.

A block is a run of BLOCK numbers. Its grams are spread over BUCKETS rows by their hash; a row lists its hashes in
order, where the postings of each end, and the postings: the places of texts in the block, two bytes each, or, from MANY
on, one bit for every place, which is read at once. Two grams of one hash cost a needless look at a text, nothing else.

Pairs have PAIR_BUCKETS rows of their own, and are kept only where MANY texts of the block have the first word: else
that alone leads to few texts. A single letter, which is no gram, counts as such a word.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence

BLOCK = 8192
BUCKETS = 2048
PAIR_BUCKETS = 512  # numbered after those of grams
MANY = 128
_BITS = BLOCK // 8  # bytes, more than of fewer than MANY places


def place(gram: str) -> tuple[int, int]:
    """The bucket of a gram and its hash."""
    hashed = zlib.crc32(gram.encode())
    return hashed % BUCKETS, hashed


def place_of_pair(pair: str) -> tuple[int, int]:
    """The bucket of a pair and its hash."""
    hashed = zlib.crc32(pair.encode())
    return BUCKETS + hashed % PAIR_BUCKETS, hashed


def pack(
    held: Iterable[tuple[int, Iterable[str]]], paired: Iterable[tuple[int, Iterable[tuple[str, str]]]] = ()
) -> dict[int, bytes]:
    """The rows of a block by bucket, of places in ascending order and the grams and pairs of the text there."""
    of_grams = _spread(held, place)
    many = {hashed for row in of_grams.values() for hashed, numbers in row.items() if len(numbers) >= MANY}
    kept = (
        (number, (pair for first, pair in pairs if len(first) == 1 or place(first)[1] in many))
        for number, pairs in paired
    )
    return {bucket: _row(row) for bucket, row in (of_grams | _spread(kept, place_of_pair)).items()}


def keeps_pairs(first: str, packed: bytes | None) -> bool:
    """Whether a block has the pairs of a first word, from the row that has its places."""
    return len(first) == 1 or (packed is not None and find(packed, place(first)[1]).bit_count() >= MANY)


def find(packed: bytes, hashed: int) -> int:
    """The places that a row has for a hash, as the bits of a number."""
    (count,) = struct.unpack_from("<I", packed)
    hashes = struct.unpack_from(f"<{count}I", packed, 4)
    index = bisect_left(hashes, hashed)
    if index == count or hashes[index] != hashed:
        return 0
    ends = 4 + 4 * count
    start = struct.unpack_from("<I", packed, ends + 4 * (index - 1))[0] if index else 0
    (end,) = struct.unpack_from("<I", packed, ends + 4 * index)
    first = ends + 4 * count
    body = packed[first + start : first + end]
    if len(body) == _BITS:
        return int.from_bytes(body, "little")
    return int.from_bytes(_bits(struct.unpack(f"<{len(body) // 2}H", body)), "little")


def places(bits: int) -> list[int]:
    """The places that are set in ``bits``, the highest first."""
    digits = f"{bits:b}"
    top, at, found = len(digits) - 1, -1, []
    while (at := digits.find("1", at + 1)) >= 0:
        found.append(top - at)
    return found


def _spread(
    held: Iterable[tuple[int, Iterable[str]]], place_of: Callable[[str], tuple[int, int]]
) -> dict[int, dict[int, Sequence[int]]]:
    """The places of each hash, by bucket."""
    places: dict[str, array[int]] = {}
    for number, words in held:
        for word in words:
            if (known := places.get(word)) is not None:
                known.append(number)
            else:
                places[word] = array("H", (number,))
    buckets: dict[int, dict[int, Sequence[int]]] = {}
    for word, numbers in places.items():
        bucket, hashed = place_of(word)
        row = buckets.setdefault(bucket, {})
        row[hashed] = sorted({*row[hashed], *numbers}) if hashed in row else numbers
    return buckets


def _row(places: Mapping[int, Sequence[int]]) -> bytes:
    hashes = sorted(places)
    bodies = [_body(places[hashed]) for hashed in hashes]
    ends, end = [], 0
    for body in bodies:
        end += len(body)
        ends.append(end)
    count = len(hashes)
    return struct.pack(f"<I{count}I{count}I", count, *hashes, *ends) + b"".join(bodies)


def _body(numbers: Sequence[int]) -> bytes:
    if len(numbers) < MANY:
        return struct.pack(f"<{len(numbers)}H", *numbers)
    return bytes(_bits(numbers))


def _bits(numbers: Iterable[int]) -> bytearray:
    bits = bytearray(_BITS)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return bits
