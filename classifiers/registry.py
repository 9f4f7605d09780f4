"""Where models are kept: rows of the store that hold arrays and plain values only, checked before they are read."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any

import monitor
from classifiers import evaluate, lexemes, vectors
from classifiers.background import common_words
from classifiers.card import Card, card
from classifiers.lessons import Lesson, Origin, digest, pack, seed_lessons, unpack
from classifiers.model import FORMAT, FORMAT_VECTORS, Model, fit
from monitor.errors import BusyError, ModelError, ModelVersionError, RefusedError
from monitor.store import Connection, Store, audit, models
from monitor.types import Said

# A stored model holds NumPy arrays, numbers, texts, lists and dictionaries. skops reads no type beyond its own list of
# harmless ones, and this is what we allow in addition.
TRUSTED_TYPES: tuple[str, ...] = ()
_MEND = "run `pollwatch models train`"
_MEND_VERSION = "run `pollwatch models train`, then `pollwatch models promote` with the id that it prints"
SEED = "seed"  # the prefix of models that learned from the seeds alone
VECTORS = "vectors"  # the suffix of models that read sentence vectors
ACTOR = "registry"
TOLD_S = 60.0  # how often who waits for another process says so

log = logging.getLogger(__name__)

_loaded: dict[tuple[str, str], Model] = {}  # by id and checksum; a process uses one or two


def live(store: Store, now: datetime, *, with_vectors: bool = False) -> tuple[str, Model]:
    """The live model and its id; trained from the seeds and registered when the store has none yet.

    A live model of the seeds that other versions of the libraries wrote is trained anew, and so is one that reads
    sentence vectors though ``with_vectors`` says no, or the other way round.

    Another process that trains is waited for. Raises ModelError when it is damaged or of another version.
    """
    found = _live_id(store)
    if found is None or not _is_kept(found, with_vectors):
        with turn(store):
            found = _live_id(store)
            if found is None or not _is_kept(found, with_vectors):
                found = _register_seed_model(store, now, with_vectors)
    try:
        return found, load(store, found)
    except ModelVersionError:
        if not found.startswith(f"{SEED}-"):
            raise
    # What the seeds alone taught can be learned again: an upgrade of the libraries must not stop the desk.
    with turn(store):
        found = _register_seed_model(store, now, with_vectors)
    return found, load(store, found)


@contextmanager
def turn(store: Store) -> Iterator[None]:
    """The lock of training. Who holds it is waited for as long as it lives: a model of sentence vectors takes minutes,
    and a process that ends lets go, however it ends.
    """
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(store.lock("train", wait_s=TOLD_S))
            except BusyError as error:
                log.warning("waiting until the other model is trained: %s", error)
            else:
                break
        yield


def _is_kept(id: str, with_vectors: bool) -> bool:
    """Whether the live model goes on: what people taught does, whatever it reads."""
    return not id.startswith(f"{SEED}-") or id.endswith(f"-{VECTORS}") is with_vectors


def _register_seed_model(store: Store, now: datetime, with_vectors: bool) -> str:
    row, _ = build(seed_lessons(), now, with_vectors=with_vectors)
    with store.write() as connection:
        models.put(connection, row)
        promote(
            connection,
            row["id"],
            now,
            ACTOR,
            ("Trained from the seeds: no model was live that can be read and reads what the configuration says.",),
        )
    return str(row["id"])


def live_or_default(store: Store) -> tuple[str, Model]:
    """The live model, or, without writing anything, the one that the seeds give. Raises ModelError."""
    found = _live_id(store)
    return (found, load(store, found)) if found else default_model()


@cache
def default_model() -> tuple[str, Model]:
    """The model that the seeds give, in memory, with its id."""
    return seed_id(), fit([lesson.example for lesson in seed_lessons()])[0]


def seed_id() -> str:
    """The id of the model that the seeds give."""
    lessons = seed_lessons()
    return model_id(lessons, digest(lessons))


def build(
    lessons: Sequence[Lesson], now: datetime, stream: Sequence[str] = (), *, with_vectors: bool = False
) -> tuple[dict[str, Any], Model]:
    """Train a model; returns its row for ``models.put``, not live, and itself. Lessons and stream determine its id.

    ``stream`` are texts without labels, which tell what is common in the team's feeds. A model ``with_vectors`` has
    that in its id.
    """
    examples = [lesson.example for lesson in lessons]
    weights = [lesson.weight for lesson in lessons]
    model, scores = fit(
        examples,
        common_words().with_texts(stream),
        weights=weights,
        decisions=[lesson.decisions for lesson in lessons],
        with_vectors=with_vectors,
    )
    data = digest(lessons, stream)
    blob = dumps(model)
    id = model_id(lessons, data) + (f"-{VECTORS}" if with_vectors else "")
    row = {
        "id": id,
        "created_at": now,
        "live": False,
        "data_sha256": data,
        "sha256": hashlib.sha256(blob).hexdigest(),
        "versions": versions(with_vectors=with_vectors),
        "metrics": {
            "threshold": round(model.threshold, 4),
            **evaluate.measure(
                [example.suspicious for example in examples],
                scores,
                scores >= model.threshold,
                {"lang": [str(example.lang) for example in examples]},
            ),
        },
        "blob": blob,
        "learned": {**_counts(lessons), "stream": len(stream)},
        "lessons": pack(lessons),
    }
    told = card(id, data, model, lessons, scores).dumps()
    return {**row, "card": told, "card_sha256": hashlib.sha256(told).hexdigest()}, model


def _counts(lessons: Sequence[Lesson]) -> dict[str, int]:
    counted = Counter(lesson.origin for lesson in lessons)
    return {str(origin): counted[origin] for origin in Origin}


def promote(connection: Connection, id: str, now: datetime, actor: str, reasons: Sequence[str]) -> None:
    """Make a model live, with its audit entry; nothing happens when it is live already. Raises NotFoundError."""
    before = models.live(connection)
    if before is not None and before["id"] == id:
        return
    models.promote(connection, id, now)
    models.judge(connection, id, {"promote": True, "reasons": list(reasons)})
    detail = {"model": id, "before": before["id"] if before else None, "reasons": list(reasons)}
    audit.append(connection, now, actor, "model.promote", subject(id), detail)


def promote_by_hand(store: Store, id: str, now: datetime, actor: str) -> None:
    """Make a model live because a person says so. Raises NotFoundError, and ModelError for one that cannot be read."""
    with store.write() as connection:
        _read(connection, id)
        judgement = models.get(connection, id)["judgement"] or {"reasons": []}
        promote(connection, id, now, actor, (f"{actor} made it live by hand.", *judgement["reasons"]))


def roll_back(store: Store, now: datetime, actor: str) -> str:
    """Make the model live that was so before the live one; returns its id.

    The model that was left is not promoted by itself again. Raises RefusedError when there was none before, and
    ModelError when that one cannot be read: then nothing changes.
    """
    with store.write() as connection:
        moved = models.roll_back(connection, now)
        if moved is None:
            raise RefusedError(
                "no-model", Said("no model was live before this one; `pollwatch models list` shows them all")
            )
        left, id = moved
        _read(connection, id)
        why = f"{actor} rolled back from it to {id}."
        models.judge(connection, left, {"promote": False, "reasons": [why]})
        audit.append(connection, now, actor, "model.rollback", subject(id), {"model": id, "before": left})
    return id


def subject(id: str) -> str:
    """How audit entries name a model."""
    return f"model:{id}"


def load(store: Store, id: str) -> Model:
    """One stored model; kept in memory after the first time. Raises NotFoundError and ModelError."""
    with store.read() as connection:
        return _read(connection, id)


def _read(connection: Connection, id: str) -> Model:
    row = models.get(connection, id)
    key = (id, row["sha256"])
    if key not in _loaded:
        _loaded[key] = loads(id, models.blob(connection, id), row["sha256"], row["versions"])
    return _loaded[key]


def lessons_of(connection: Connection, id: str) -> list[dict[str, Any]]:
    """The rows that made a model: ``origin, item_id, weight, text, label, lang, stance, claim_type``, names masked.

    Raises NotFoundError, and ModelError for a model that was trained before they were kept.
    """
    packed = models.lessons(connection, id)
    if packed is None:
        raise ModelError(id, f"was trained before its rows were kept: {_MEND}")
    return unpack(packed)


def card_of(connection: Connection, id: str) -> Card:
    """The card of a model, as it was made when the model was registered.

    Raises NotFoundError, and ModelError for a model without a card, or whose card is not the one that was made.
    """
    kept, expected = models.card(connection, id), models.get(connection, id)["card_sha256"]
    if kept is None:
        raise ModelError(id, f"was registered before cards were kept: {_MEND}")
    if hashlib.sha256(kept).hexdigest() != expected:
        raise ModelError(id, f"has a card that was changed after it was made: {_MEND}")
    return Card.loads(kept)


def describe_live(connection: Connection) -> dict[str, Any] | None:
    """The live model as `models list` shows it, or None."""
    row = models.live(connection)
    return describe(row) if row else None


def describe(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored model as shown to people and scripts; ``reasons`` say why it is live, or not by itself."""
    judgement = row["judgement"] or {"promote": None, "reasons": []}
    shown = ("id", "created_at", "live", "metrics", "versions", "data_sha256")
    more = ("sha256", "learned", "promoted_at", "follows", "card_sha256")
    return {**{key: row[key] for key in (*shown, *more)}, "reasons": judgement["reasons"]}


def model_id(lessons: Sequence[Lesson], data_sha256: str) -> str:
    """``seed-1a2b3c4d`` or ``reviewed-1a2b3c4d``: what the model learned from."""
    prefix = SEED if all(lesson.origin is Origin.SEEDS for lesson in lessons) else "reviewed"
    return f"{prefix}-{data_sha256[:8]}"


def versions(*, with_vectors: bool = False) -> dict[str, str]:
    """What a model depends on to be read as it was written, and to judge as it did."""
    libraries = {name: version(name) for name in ("scikit-learn", "skops", lexemes.PACKAGE)}
    if with_vectors:
        libraries[vectors.PACKAGE] = version(vectors.PACKAGE)
    number = FORMAT_VECTORS if with_vectors else FORMAT
    return {"pollwatch": monitor.__version__, "model format": str(number), **libraries}


def dumps(model: Model) -> bytes:
    """A model as skops bytes; no class or function is in it."""
    import skops.io  # here: it brings all of scikit-learn, 20 MB that training needs for itself

    return bytes(skops.io.dumps(model.state(), compression=zipfile.ZIP_DEFLATED, compresslevel=6))


def loads(id: str, blob: bytes, sha256: str, written_by: Mapping[str, str]) -> Model:
    """A model from its bytes.

    Raises ModelError when they are not those that were stored, or of other versions, or when it reads sentence vectors
    and there are none here.
    """
    with_vectors = vectors.PACKAGE in written_by
    if with_vectors and not vectors.installed():
        raise ModelError(id, f"reads sentence vectors, and {vectors.PACKAGE} is not installed: {vectors.MEND}")
    for name, present in versions(with_vectors=with_vectors).items():
        if _minor(written_by.get(name, "")) != _minor(present):
            raise ModelVersionError(
                id, f"was written by {name} {written_by.get(name, '?')}, this is {present}: {_MEND_VERSION}"
            )
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise ModelError(id, f"is damaged, its checksum differs: {_MEND}")
    import skops.io  # as above

    try:
        strange = set(skops.io.get_untrusted_types(data=blob)) - set(TRUSTED_TYPES)
        if strange:
            raise ModelError(id, f"holds types that are not allowed ({', '.join(sorted(strange))}): {_MEND}")
        return Model.from_state(skops.io.loads(blob, trusted=list(TRUSTED_TYPES)))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ModelError(id, f"cannot be read ({type(error).__name__}): {_MEND}") from error


def _live_id(store: Store) -> str | None:
    with store.read() as connection:
        row = models.live(connection)
    return row["id"] if row else None


def _minor(number: str) -> list[str]:
    return number.split(".")[:2]
