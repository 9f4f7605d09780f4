"""Tables of what is told to the public."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from monitor.store.schema.base import Instant, id_column, metadata

clarifications = Table(
    "clarifications",
    metadata,
    id_column(),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("slug", Text, nullable=False, unique=True),  # names its pages, for good
    Column("uid", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("texts", JSON, nullable=False),  # by language, the fields of Statement
    Column("revision", Integer, nullable=False),
    Column("writers", JSON, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("claimed_at", Instant),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("withdrawing", Boolean, nullable=False),
    Index(
        "uq_clarifications_one_live_per_alert",
        "alert_id",
        unique=True,
        sqlite_where=text("state != 'withdrawn'"),
        postgresql_where=text("state != 'withdrawn'"),
    ),
)

# What was published: never changed, never removed.
versions = Table(
    "versions",
    metadata,
    Column("clarification_id", ForeignKey("clarifications.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("texts", JSON, nullable=False),
    Column("published_at", Instant, nullable=False, index=True),
    Column("writers", JSON, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("published_by", Text, nullable=False),
)
