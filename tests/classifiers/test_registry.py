"""The registry: trained at first use, once; read only when whole, of these versions, and free of code."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sqlalchemy import update

from classifiers import registry
from classifiers.lessons import digest, seed_lessons
from classifiers.model import Model
from classifiers.train import train
from monitor.config import Settings
from monitor.errors import ModelError, ModelVersionError, NotFoundError
from monitor.store import Store, models
from monitor.store.schema import models as table

TEXT = "選舉事務署通知：請即提供驗證碼 eso-verify.example"


def stored(model: Model) -> tuple[bytes, str]:
    """A model's bytes and their checksum."""
    blob = registry.dumps(model)
    return blob, hashlib.sha256(blob).hexdigest()


def test_the_first_use_trains_registers_and_promotes(store: Store, now: datetime) -> None:
    """One live model, named after the seeds, with its metrics; the second use changes nothing."""
    assert registry.live_or_default(store)[0] == registry.default_model()[0]
    id, model = registry.live(store, now)
    assert id == f"seed-{digest(seed_lessons())[:8]}" == registry.default_model()[0]
    assert registry.live(store, now) == (id, model)
    with store.read() as connection:
        (row,) = models.listing(connection)
        described = registry.describe_live(connection)
    assert row["live"]
    assert row["created_at"] == now
    assert set(row["versions"]) == {"pollwatch", "model format", "scikit-learn", "skops", "rjieba"}
    assert {"threshold", "ap", "recall_10", "false_flags", "by_lang"} <= set(row["metrics"])
    assert described
    assert "blob" not in described


def test_what_comes_out_is_what_went_in(store: Store, now: datetime, model: Model) -> None:
    """A stored model judges like the one in memory."""
    _, loaded = registry.live(store, now)
    assert loaded.judge([TEXT]) == model.judge([TEXT])


_LIVE = """
import sys
from datetime import datetime
from classifiers import registry
from monitor.store import open_store
print(registry.live(open_store(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))[0])
"""


def test_two_processes_train_once(store: Store, now: datetime) -> None:
    """Both wait for one training and see the same live model."""
    words = [sys.executable, "-c", _LIVE, str(store.engine.url), now.isoformat()]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = {process.communicate(timeout=120)[0].strip() for process in both}
    with store.read() as connection:
        rows = models.listing(connection)
    assert [row["live"] for row in rows] == [True]
    assert found == {rows[0]["id"]}


def test_who_trains_is_waited_for_as_long_as_it_takes(
    store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However slow: who waits says so again and again, and takes its turn when the lock is free."""
    monkeypatch.setattr(registry, "TOLD_S", 0.01)
    with ThreadPoolExecutor(1) as other:
        with store.lock("train"):
            found = other.submit(registry.live, store, now)
            said = "waiting until the other model is trained: another process holds the train lock"
            while sum(said in told for told in caplog.messages) < 2:
                with pytest.raises(TimeoutError):
                    found.result(timeout=0.01)
        id, _ = found.result(timeout=120)
    with store.read() as connection:
        assert [row["id"] for row in models.listing(connection)] == [id]


def test_a_stored_model_holds_no_code(model: Model) -> None:
    """Every type in the bytes is one that skops reads without being told to trust it."""
    blob, _ = stored(model)
    assert registry.TRUSTED_TYPES == ()
    assert skops.io.get_untrusted_types(data=blob) == []
    assert b"classifiers." not in zipfile.ZipFile(BytesIO(blob)).read("schema.json")


def test_one_changed_byte_is_noticed(model: Model) -> None:
    """Before anything is read; the error names model and mend."""
    blob, sha256 = stored(model)
    damaged = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(ModelError, match=r"^model m: is damaged.*`pollwatch models train`"):
        registry.loads("m", damaged, sha256, registry.versions())


@pytest.mark.parametrize("name", ["pollwatch", "model format", "scikit-learn", "skops", "rjieba"])
@pytest.mark.parametrize("written", ["0.0.9", ""])
def test_a_model_of_another_version_is_refused(model: Model, name: str, written: str) -> None:
    """The error names both versions and the mend."""
    blob, sha256 = stored(model)
    with pytest.raises(ModelError, match=rf"written by {name} .*`pollwatch models train`"):
        registry.loads("m", blob, sha256, registry.versions() | {name: written})


def test_foreign_types_and_foreign_shapes_are_refused(tmp_path: Path) -> None:
    """Right checksum, wrong content: a path, an estimator, no archive at all."""
    for blob in (skops.io.dumps({"terms": tmp_path}), skops.io.dumps(LogisticRegression()), b"not an archive"):
        with pytest.raises(ModelError):
            registry.loads("m", blob, hashlib.sha256(blob).hexdigest(), registry.versions())


def test_a_model_damaged_in_the_store_stops_the_stage_with_one_sentence(
    store: Store, settings: Settings, now: datetime
) -> None:
    """And training again mends it: the same data, the same id, still live."""
    id, _ = registry.live(store, now)
    registry._loaded.clear()
    with store.write() as connection:
        connection.execute(update(table).values(blob=b"damaged"))
    with pytest.raises(ModelError, match="damaged"):
        registry.live(store, now)
    assert train(store, settings, now) == id
    assert registry.live(store, now)[0] == id


def test_an_unknown_model_is_not_found(store: Store, now: datetime) -> None:
    """The error says how to see those that are there."""
    with pytest.raises(NotFoundError, match="models list"):
        registry.load(store, "seed-00000000")
    with store.write() as connection, pytest.raises(NotFoundError):
        models.promote(connection, "seed-00000000", now)


@pytest.mark.parametrize(
    "old",
    [
        {"pollwatch": "0.0.1", "model format": "1", "scikit-learn": "0.1", "skops": "0.1", "rjieba": "0.1"},
        {name: number for name, number in registry.versions().items() if name != "model format"},  # of older programs
    ],
)
def test_an_upgrade_does_not_stop_the_desk(
    store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch, old: dict[str, str]
) -> None:
    """What the seeds alone taught is learned again by itself; what people taught is not thrown away."""
    id, _ = registry.live(store, now)
    monkeypatch.setattr(registry, "_loaded", {})  # as in a new process
    with store.write() as connection:
        connection.execute(update(table).values(versions=old))
    assert registry.live(store, now)[0] == id
    with store.read() as connection:
        assert models.get(connection, id)["versions"] == registry.versions()
    with store.write() as connection:
        connection.execute(update(table).values(versions=old, id="reviewed-12345678"))
    with pytest.raises(ModelVersionError, match="models promote"):
        registry.live(store, now)
