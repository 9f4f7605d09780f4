"""Tables of what outlets publish: feeds, their hubs and hosts, items."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
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

feeds = Table(
    "feeds",
    metadata,
    id_column(),
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
    Column("rhythm", JSON(none_as_null=True)),  # the fields of types.Rhythm, counts packed
    Column("hub", Text),  # that its last answer named; empty: none; NULL: nobody has looked yet
    Column("topic", Text),  # the address by which that hub knows it
    Column("pushed_at", Instant),  # when the hub last announced news; NULL without a live subscription
    Column("channel", Text),  # by which tips come in that are its items; NULL: a URL we poll
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
    id_column(),
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
