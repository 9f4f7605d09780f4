"""Tables of what was done and sent: the audit, the messages, the runs of the stages."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from monitor.store.schema.base import Instant, id_column, metadata

# Append-only: triggers refuse update, delete (both made by the first migration) and replacement.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", JSON, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# What was sent, or is about to be: the message itself is kept until it is, so that a retry sends the same bytes.
notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),  # digest
    Column("date", Text, nullable=False),  # local date, YYYY-MM-DD
    Column("receiver", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("period_end", Instant, nullable=False),  # the next digest starts where this one ends
    Column("queued_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("tried_at", Instant),
    Column("last_error", Text),
    Column("sent_at", Instant),
    UniqueConstraint("kind", "date", "receiver"),
)

# The messages to receivers: frozen before the first attempt, so that every attempt sends the same bytes. No `notices`:
# there is one of those a date, and the period of the next one hangs on it.
outbox = Table(
    "outbox",
    metadata,
    Column("key", Text, primary_key=True),  # stands in the message: two copies show as copies
    Column("receiver", Text, nullable=False, index=True),
    Column("message", LargeBinary, nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try_at", Instant, nullable=False),
    Column("last_error", Text),
    Column("sent_at", Instant),
    Column("dropped", Text),  # why it is not sent any more
    Index(
        "ix_outbox_unsent",
        "next_try_at",
        sqlite_where=text("sent_at IS NULL AND dropped IS NULL"),
        postgresql_where=text("sent_at IS NULL AND dropped IS NULL"),
    ),
)

# Why a receiver is told of an alert: one row an alert, receiver and audit entry, and one for each repetition.
occasions = Table(
    "occasions",
    metadata,
    Column("key", Text, primary_key=True),  # SHA-256 of receiver, seq and round
    Column("receiver", Text, nullable=False),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False),
    Column("seq", ForeignKey("audit.seq"), nullable=False),
    Column("round", Integer, nullable=False),  # 0; then counts the repetitions
    Column("kind", Text, nullable=False),
    Column("detail", JSON, nullable=False),  # what the words of the message need
    Column("at", Instant, nullable=False),
    Column("message_key", ForeignKey("outbox.key"), index=True),  # NULL: it waits
    Column("dropped", Text),  # why it is not announced any more
    Index("ix_occasions_alert_id_receiver", "alert_id", "receiver"),
    Index(
        "ix_occasions_waiting",
        "receiver",
        sqlite_where=text("message_key IS NULL AND dropped IS NULL"),
        postgresql_where=text("message_key IS NULL AND dropped IS NULL"),
    ),
)

# How far a stage has read the audit.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
)

# One row per stage: when it last ran and what it did; `status` and the digest read it.
runs = Table(
    "runs",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("report", JSON),
    Column("error", Text),
)
