"""Every table, once. Tables hold no behaviour; constraints here are what concurrent processes rely on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC. Refuses naive values: they have no instant."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[Any]:
    # SQLite gives row ids only to a column that is declared INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


feeds = Table(
    "feeds",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    Column("outlet", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("lang", Text),
    Column("enabled", Boolean, nullable=False, default=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_sha256", Text),
    Column("last_attempt_at", Instant),
    Column("last_success_at", Instant),
    Column("last_new_at", Instant),
    Column("next_check_at", Instant, index=True),
    Column("interval_s", Integer),  # set by the operator; NULL: by its rhythm
    Column("failures", Integer, nullable=False, default=0),
    Column("strikes", Float, nullable=False, default=0.0, server_default="0"),  # failures in a row by their weight
    Column("error_kind", Text),
    Column("error_detail", Text),
    Column("warning", Text),  # the last document was readable, but …
    Column("added_at", Instant, nullable=False),
    Column("folder", Text),  # of the list it came from: names with a slash between them
    Column("moved_to", Text),  # where a permanent redirect leads
    Column("moved_since", Instant),
    Column("answer_s", Float),  # how long its last good answer took
    Column("rhythm", JSON(none_as_null=True)),  # the fields of types.Rhythm, counts in thousandths
    Column("hub", Text),  # that its last answer named; empty: none; NULL: nobody has looked yet
    Column("topic", Text),  # the address by which that hub knows it
    Column("pushed_at", Instant),  # when the hub last announced news; NULL without a live subscription
)

# What was asked of the hubs of feeds. Ended ones stay until the hub has confirmed it, or their lease is over.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("token", Text, primary_key=True),
    Column("feed_id", ForeignKey("feeds.id"), nullable=False),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("mode", Text, nullable=False),  # subscribe, unsubscribe
    Column("next_ask_at", Instant, nullable=False),
    Column("asks", Integer, nullable=False),  # since the hub last confirmed
    Column("error", Text),
    Column("lease_ends_at", Instant),
    Index(
        "uq_subscriptions_one_per_feed",
        "feed_id",
        unique=True,
        sqlite_where=text("mode = 'subscribe'"),
        postgresql_where=text("mode = 'subscribe'"),
    ),
)

# Which pass over the feeds works on each host, so that passes may overlap (see store.hosts).
hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),  # of addresses of feeds, with the port that one names
    Column("holder", Text),  # a word of the pass; NULL: nobody
    Column("held_until", Instant),  # over then by itself, should the pass have been killed
    Column("free_at", Instant),  # the end of the last visit and the gap that follows
)

items = Table(
    "items",
    metadata,
    _id(),
    Column("feed_id", ForeignKey("feeds.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("guid", Text),
    Column("link", Text),
    Column("link_key", Text, index=True),  # canonical link, for copies across feeds
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("lang", Text, nullable=False),
    Column("published_raw", Text),
    Column("published_at", Instant),
    Column("first_seen_at", Instant, nullable=False, index=True),
    Column("edited_at", Instant),
    Column("revision", Integer, nullable=False, default=0),
    UniqueConstraint("feed_id", "key"),
    Index("ix_items_feed_id_guid", "feed_id", "guid"),  # outlets use a guid again
)

# Of each feed: hashes of raw entries, and the items that they stand in the store as, word for word (see store.marks).
marks = Table(
    "marks",
    metadata,
    Column("feed_id", ForeignKey("feeds.id"), primary_key=True),
    Column("marks", LargeBinary, nullable=False),
)

# The earlier texts of edited items: revision n of an item is here once revision n + 1 stands in `items`.
revisions = Table(
    "revisions",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("link", Text),
    Column("seen_at", Instant, nullable=False),  # when this text was first seen
    Column("replaced_at", Instant, nullable=False),
)

assessments = Table(
    "assessments",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("stance", Text, nullable=False),
    Column("claim_type", Text),
    Column("matches", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("assessed_at", Instant, nullable=False),
    Index("ix_assessments_flagged", "item_id", sqlite_where=text("flagged = 1"), postgresql_where=text("flagged")),
)

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("title", Text, nullable=False),
    Column("claim_type", Text),
    Column("lang", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("merged_into", BigInteger),  # where its items went: its id leads there
    Column("sample", Text),  # uncertain, random: nobody flagged it, it was drawn to see what is missed
    Column("sampled_on", Text, index=True),  # local date of the draw, YYYY-MM-DD
)

incident_items = Table(
    "incident_items",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False, index=True),
    Column("reason", Text, nullable=False),  # first, same-link, near-copy, same-claim, split, sample
    Column("similarity", Float, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False, default=0, server_default="0"),  # the text that was put here
    # Set for those whose text is the claim of the incident, NULL for what joined it: counted up over all incidents, and
    # anew whenever text or incident changes, so that what is new to an index is what has a higher number.
    Column("wording", BigInteger),
    Index("uq_incident_items_wording", "wording", unique=True),
)

# Incidents that may carry one claim, found when the first of the two was opened: for a person to look at.
related = Table(
    "related",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("other_id", ForeignKey("incidents.id"), primary_key=True, index=True),
    Column("similarity", Float, nullable=False),
    Column("found_at", Instant, nullable=False),
)

# Bands of the MinHash signatures of grouped items, reposts left out: two near-copies share at least one.
signatures = Table(
    "signatures",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("minhash", LargeBinary, nullable=False),
)
bands = Table(
    "bands",
    metadata,
    Column("band", BigInteger, primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
)

alerts = Table(
    "alerts",
    metadata,
    _id(),
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
    Index(
        "ix_alerts_suppression",
        "suppression",
        sqlite_where=text("suppression IS NOT NULL"),
        postgresql_where=text("suppression IS NOT NULL"),
    ),
)

silences = Table(
    "silences",
    metadata,
    _id(),
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
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("similarity", Float, nullable=False),
    Column("at", Instant, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
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
    _id(),
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

models = Table(
    "models",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("data_sha256", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("learned", JSON(none_as_null=True)),  # how many rows of each origin, and up to which decision
    Column("lessons", LargeBinary),  # the rows themselves, compressed JSON
    Column("judgement", JSON(none_as_null=True)),  # whether it may become live by itself, and why
    Column("promoted_at", Instant),
    Column("follows", Text),  # the model that was live before it
    Index("uq_models_one_live", "live", unique=True, sqlite_where=text("live = 1"), postgresql_where=text("live")),
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
