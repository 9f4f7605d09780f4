"""Tables of what people decide on: alerts, decisions, what stays quiet and why."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from monitor.store.schema.base import Instant, id_column, metadata

alerts = Table(
    "alerts",
    metadata,
    id_column(),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("priority_reasons", JSON, nullable=False),
    Column("level", Integer, nullable=False, default=0),
    Column("score", Float, nullable=False),
    Column("route", Text, nullable=False),
    Column("suppression", Text),  # silence, inhibited
    Column("inhibited_by", BigInteger().with_variant(Integer, "sqlite")),  # the alert that ruled on the same claim
    Column("opened_at", Instant, nullable=False, index=True),
    Column("due_at", Instant),
    Column("holder", Text),
    Column("lease_expires_at", Instant),
    Column("taken_at", Instant),
    Column("decided_at", Instant),
    Column("decision", Text),
    Column("verdict", Text),
    Column("take_steps", Integer, nullable=False, default=0, server_default="0"),  # see alerts.policy
    Column("decide_steps", Integer, nullable=False, default=0, server_default="0"),
    Column("reminders", Integer, nullable=False, default=0, server_default="0"),
    Column("told_at", Instant),
    Column("expiries", Integer, nullable=False, default=0, server_default="0"),
    Column("review", Text, nullable=False, server_default="first"),
    Column("due_from", Instant),
    Column("snoozed_until", Instant),
    Column("sample", Text),  # as of its incident; such an alert has no due time
    Index(
        "uq_alerts_one_live_per_incident",
        "incident_id",
        unique=True,
        sqlite_where=text("state != 'closed'"),
        postgresql_where=text("state != 'closed'"),
    ),
    Index("ix_alerts_queue", "state", "priority", "due_at"),
    Index("ix_alerts_decision", "decision", "decided_at"),
    Index(
        "ix_alerts_suppression",
        "suppression",
        sqlite_where=text("suppression IS NOT NULL"),
        postgresql_where=text("suppression IS NOT NULL"),
    ),
)

decisions = Table(
    "decisions",
    metadata,
    id_column(),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("reviewer", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("verdict", Text),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("review", Text, nullable=False, server_default="first"),
    Column("held", JSON(none_as_null=True)),  # what undoing it restores
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Text),  # the act, as the audit calls it
)

silences = Table(
    "silences",
    metadata,
    id_column(),
    Column("matchers", JSON, nullable=False),  # values by key, as suppression.Matchers reads them
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),  # moved to the moment when somebody ends it early
    Column("expired_by", Text),  # who ended it early
)

# What each silence hid, and still hides where ``ended_at`` is NULL.
hidden = Table(
    "hidden",
    metadata,
    Column("silence_id", ForeignKey("silences.id"), primary_key=True),
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True, index=True),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
)

# Every alert that was ever inhibited, with its spread then: one that came back is never inhibited again.
inhibitions = Table(
    "inhibitions",
    metadata,
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True),
    Column("by_alert_id", ForeignKey("alerts.id"), nullable=False, index=True),
    Column("similarity", Float, nullable=False),
    Column("at", Instant, nullable=False),
    Column("items", Integer, nullable=False),
    Column("outlets", Integer, nullable=False),
)

# With which known claims each alert was compared, and which texts of its incident: what changed is compared again.
comparisons = Table(
    "comparisons",
    metadata,
    Column("alert_id", ForeignKey("alerts.id"), primary_key=True),
    Column("known", Text, nullable=False),
    Column("texts", Integer, nullable=False),
)

# Items of official and fact-check feeds that take back what an incident claims.
answers = Table(
    "answers",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True, index=True),
    Column("similarity", Float, nullable=False),
    Column("at", Instant, nullable=False),
)
