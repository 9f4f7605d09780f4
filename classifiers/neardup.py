"""Near-copies: MinHash signatures of what a text says, whatever its script, width and punctuation. Pure.

MinHash: A. Broder, On the resemblance and containment of documents (1997). Banding: Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, section 3.4.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np
from datasketch import MinHash

from monitor.text import HAN, fold

PERMUTATIONS = 128
BAND_ROWS = 4  # 32 bands: two texts of similarity 0.6 share one with probability 0.99, of 0.2 with 0.05

# Two texts are near-copies from here on. One changed word in a headline, or a few in a paragraph, stay above it;
# two stories about the same people and place stay below 0.3.
THRESHOLD = 0.6
# With few shingles the estimate is coarse and a changed word may be the whole story: near equality is asked for.
SHORT = 40
SHORT_THRESHOLD = 0.85
VERBATIM = 0.9  # a repost: punctuation, an added tag, a corrected letter

_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_BYLINE = re.compile(  # an outlet's name at the edge of a line, added by aggregators, and agency marks
    r"^\s{0,4}【[^】]{0,12}(?:訊|讯|報道|报道|消息|專訊|专讯)】|[(（][^)）]{0,8}(?:報道|报道|綜合報道)[)）]"
    r"|^\s{0,4}\([A-Z][\w ]{1,20}\)\s*[-–—]|\s[-–—|]\s[A-Z][\w'’]*(?: [A-Z][\w'’]*){0,3}\s*$",
    re.MULTILINE,
)
_TOKEN = re.compile(r"[a-z0-9\u00df-\u024f\u0370-\u052f]+|" + HAN.pattern)
_HAN_SPACE = re.compile(rf"(?<={HAN.pattern}) | (?={HAN.pattern})")  # a space parts two Latin words only
_TEMPLATE = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")
_COUNT_BYTES = 4


def shingles(text: str) -> set[str]:
    """Character 5-grams, 3-grams where they begin in Chinese, of the folded text without punctuation.

    One Chinese character says about as much as two letters, hence the two lengths. Web addresses and bylines, which
    differ between copies, are left out.
    """
    words = _TOKEN.findall(fold(_BYLINE.sub(" ", _URL.sub(" ", text))))
    chars = _HAN_SPACE.sub("", " ".join(words))
    grams = (chars[start : start + (3 if HAN.match(char) else 5)] for start, char in enumerate(chars))
    return {gram for gram in grams if len(gram) >= 3} or {chars} - {""}


def signature(text: str) -> bytes:
    """The MinHash signature: 128 little-endian 32-bit values and the number of shingles.

    Equal in every process and on every machine.
    """
    grams = shingles(text)
    sketch = MinHash(num_perm=PERMUTATIONS, permutations=_TEMPLATE.permutations, scheme="affine32")
    if grams:
        sketch.update_batch([gram.encode() for gram in grams])
    return bytes(sketch.hashvalues.astype("<u4").tobytes()) + len(grams).to_bytes(_COUNT_BYTES, "little")


def bands(signature: bytes) -> tuple[int, ...]:
    """The bands of a signature as non-negative 63-bit integers; two near-copies share at least one.

    A text without words has none.
    """
    if _count(signature) == 0:
        return ()
    width = BAND_ROWS * 4
    return tuple(_band(start, signature[start : start + width]) for start in range(0, PERMUTATIONS * 4, width))


def _band(place: int, values: bytes) -> int:
    # The place is hashed in, so that equal values in different bands do not meet.
    digest = hashlib.blake2b(values, digest_size=8, salt=place.to_bytes(2, "little")).digest()
    return int.from_bytes(digest, "little") >> 1


def similarity(a: bytes, b: bytes) -> float:
    """The estimated Jaccard similarity of two texts' shingles, 0 to 1 (standard error at most 0.044)."""
    if _count(a) == 0 or _count(b) == 0:
        return 0.0
    return float(np.mean(_values(a) == _values(b)))


def threshold(a: bytes, b: bytes) -> float:
    """The similarity from which these two are near-copies."""
    return SHORT_THRESHOLD if min(_count(a), _count(b)) < SHORT else THRESHOLD


def _values(signature: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.frombuffer(signature, dtype="<u4", count=PERMUTATIONS)


def _count(signature: bytes) -> int:
    return int.from_bytes(signature[-_COUNT_BYTES:], "little")
