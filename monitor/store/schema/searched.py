"""Tables that words are found by: texts, folded and numbered, and which of them hold which grams."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from monitor.store.schema.base import Instant, metadata

_DERIVED = {"derived": True}  # what is made of other tables is not carried from store to store, but made anew

# Whatever can be searched, numbered in the order of time: a text of an item, the reason of a decision, or a note.
texts = Table(
    "texts",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("item_id", ForeignKey("items.id", ondelete="CASCADE")),
    Column("revision", Integer),  # of the item
    Column("replaced", Boolean, nullable=False),  # it is an earlier text of the item
    Column("feed_id", ForeignKey("feeds.id")),  # of the item
    Column("decision_id", ForeignKey("decisions.id", ondelete="CASCADE")),
    Column("note_seq", ForeignKey("audit.seq")),
    Column("at", Instant, nullable=False),  # when it was first seen, or written
    Column("folded", Text, nullable=False),  # see monitor.grams
    UniqueConstraint("item_id", "revision"),
    Index("ix_texts_replaced", "number", sqlite_where=text("replaced = 1"), postgresql_where=text("replaced")),
    Index(
        "ix_texts_decision_id",
        "decision_id",
        sqlite_where=text("decision_id IS NOT NULL"),
        postgresql_where=text("decision_id IS NOT NULL"),
    ),
    info=_DERIVED,
)

# Runs of numbers whose texts have postings; the others are read through (see store.search).
blocks = Table(
    "blocks",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("last_at", Instant),  # of its texts; NULL: none are left
    info=_DERIVED,
)
postings = Table(
    "postings",
    metadata,
    Column("block", ForeignKey("blocks.block", ondelete="CASCADE"), primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("packed", LargeBinary, nullable=False),  # see monitor.postings
    info=_DERIVED,
)

# How far the tables of items, decisions and notes were read.
followed = Table(
    "followed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    info=_DERIVED,
)

# Items whose text was replaced since their texts were numbered (see store.pending).
to_index = Table("to_index", metadata, Column("item_id", ForeignKey("items.id", ondelete="CASCADE"), primary_key=True))
