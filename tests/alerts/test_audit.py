"""The audit holds up: append-only, and every tampering but one is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from _pytest.mark import ParameterSet
from sqlalchemy import Executable, delete, insert, literal_column, select, text, update
from sqlalchemy.exc import IntegrityError

from monitor.store import Store, audit
from monitor.store.schema import audit as table
from tests.alerts.rows import unlock_audit

_AS_BEN = "SELECT seq, at, 'ben', action, subject, detail, prev_hash, hash FROM audit"


def _sqlite(statement: str) -> ParameterSet:
    return pytest.param(statement, marks=pytest.mark.sqlite)  # no other database knows these words


@pytest.fixture(autouse=True)
def _ten_entries(store: Store, now: datetime) -> None:
    with store.write() as connection:
        for n in range(1, 11):
            seq = audit.append(connection, now, "岑", "alert.take", f"alert:{n}", {"n": n, "score": 0.1, "until": now})
            assert seq == n


def _tamper(store: Store, *statements: Executable) -> audit.Breach | None:
    with store.write() as connection:
        unlock_audit(connection)
        for statement in statements:
            connection.execute(statement)
    with store.read() as connection:
        return audit.verify(connection)


def test_an_untouched_chain_holds(store: Store) -> None:
    """Verified whole; the head is the newest entry's hash; an empty chain holds too."""
    with store.read() as connection:
        assert audit.verify(connection) is None
        newest = audit.listing(connection, limit=1)[0]
        assert audit.head(connection) == (10, newest["hash"])


def test_many_entries_at_once_are_a_chain_like_others(store: Store, now: datetime) -> None:
    """Written together they follow each other and what stood before; none leaves the chain as it is."""
    with store.write() as connection:
        assert audit.append_all(connection, now, "clock", []) == 10
        entries = [("alert.escalate", f"alert:{number}", {"due_at": now, "level": 1}) for number in range(3)]
        assert audit.append_all(connection, now, "clock", entries) == 13
        assert audit.append(connection, now, "maya", "alert.take", "alert:1", {}) == 14
        assert audit.verify(connection) is None
        assert [row["subject"] for row in audit.listing(connection, limit=4)][:3] == ["alert:0", "alert:1", "alert:2"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'ben' WHERE seq = 3",
        _sqlite("UPDATE OR REPLACE audit SET seq = 4 WHERE seq = 3"),
        _sqlite("UPDATE OR IGNORE audit SET actor = 'ben'"),
        "DELETE FROM audit WHERE seq = 10",
        "DELETE FROM audit",  # which SQLite would do as one truncation if there were no trigger
        _sqlite(f"INSERT OR REPLACE INTO audit {_AS_BEN}"),
        _sqlite(f"REPLACE INTO audit {_AS_BEN} WHERE seq = 3"),
        "INSERT INTO audit SELECT * FROM audit WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET actor = 'ben'",
    ],
)
def test_the_database_refuses_to_rewrite_it(store: Store, statement: str) -> None:
    """Update, delete and replacement fail in the database itself, whatever program sends them."""
    with pytest.raises(IntegrityError, match="append-only"), store.write() as connection:
        connection.execute(text(statement))
    with store.read() as connection:
        assert audit.verify(connection) is None
        assert audit.head(connection)[0] == 10


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'ben'"),
        ("action", "'alert.decide'"),
        ("subject", "'alert:4'"),
        ("detail", "'{\"n\": 4}'"),
        pytest.param("detail", "'no JSON at all'", marks=pytest.mark.sqlite),
        ("detail", "'null'"),
        ("at", "'2027-03-01 04:29:59.000000'"),
        pytest.param("at", "'yesterday'", marks=pytest.mark.sqlite),
        pytest.param("at", "''", marks=pytest.mark.sqlite),
        ("hash", "'f00'"),
        pytest.param("actor", "x'00ff'", marks=pytest.mark.sqlite),
    ],
)
def test_an_edited_entry_is_found(store: Store, column: str, value: str) -> None:
    """Whichever field was changed, readable or not."""
    breach = _tamper(store, update(table).where(table.c.seq == 3).values({column: literal_column(value)}))
    assert breach
    assert (breach.seq, breach.reason) == (3, "edited")


@pytest.mark.parametrize("seq", [1, 5, 9])
def test_a_deleted_entry_is_found(store: Store, seq: int) -> None:
    """The first, one in the middle, the last but one."""
    breach = _tamper(store, delete(table).where(table.c.seq == seq))
    assert breach
    assert (breach.seq, breach.reason) == (seq, "missing")
    assert str(seq) in breach.text


def test_reordered_entries_are_found(store: Store) -> None:
    """Two entries that changed places."""
    moves = [(4, 99), (5, 4), (99, 5)]
    breach = _tamper(store, *(update(table).where(table.c.seq == a).values(seq=b) for a, b in moves))
    assert breach
    assert (breach.seq, breach.reason) == (4, "edited")


def test_an_entry_edited_with_a_fitting_hash_breaks_the_next(store: Store, now: datetime) -> None:
    """Who recomputes one hash must recompute all after it."""
    with store.write() as connection:
        unlock_audit(connection)
        kept = connection.execute(select(table).where(table.c.seq > 3).order_by(table.c.seq)).mappings().all()
        connection.execute(delete(table).where(table.c.seq >= 3))
        audit.append(connection, now, "ben", "alert.take", "alert:3", {})
        connection.execute(insert(table), [dict(row) for row in kept])
        breach = audit.verify(connection)
    assert breach
    assert (breach.seq, breach.reason) == (4, "unlinked")


def test_a_rolled_back_act_leaves_no_entry(store: Store, now: datetime) -> None:
    """The entry lives and dies with the caller's transaction."""
    with pytest.raises(IntegrityError), store.write() as connection:  # noqa: PT012  # the second statement fails
        audit.append(connection, now, "maya", "alert.take", "alert:1", {})
        connection.execute(delete(table))
    with store.read() as connection:
        assert audit.head(connection)[0] == 10


def test_listing_by_time_subject_and_number(store: Store, now: datetime) -> None:
    """In the order of writing; a limit keeps the newest."""
    later = now + timedelta(hours=1)
    with store.write() as connection:
        audit.append(connection, later.astimezone(timezone(timedelta(hours=8))), "maya", "alert.renew", "alert:2", {})
    with store.read() as connection:
        assert audit.verify(connection) is None
        assert [entry["seq"] for entry in audit.listing(connection, limit=2)] == [10, 11]
        assert [entry["seq"] for entry in audit.listing(connection, since=later)] == [11]
        assert [entry["seq"] for entry in audit.listing(connection, subject="alert:2")] == [2, 11]
        assert audit.listing(connection, since=later)[0]["at"] == later.astimezone(UTC)


def test_numbers_that_json_cannot_carry_are_refused(store: Store, now: datetime) -> None:
    """An entry that could not be verified later is never written."""
    with pytest.raises(ValueError, match="JSON"), store.write() as connection:
        audit.append(connection, now, "maya", "alert.take", "alert:1", {"score": float("nan")})
