"""Tables of evidence: what feeds served, which pages are watched, what was captured and where it lies."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from monitor.store.schema.base import Instant, id_column, metadata

# What a feed served for entries that were new or edited then; kept for a while, should one of them be flagged.
served = Table(
    "served",
    metadata,
    id_column(),
    Column("feed_id", ForeignKey("feeds.id"), nullable=False),
    Column("seen_at", Instant, nullable=False, index=True),  # of the pass: that is when its items were new or edited
    Column("answer", JSON, nullable=False),  # the fields of types.Answer
    Column("whole", Boolean, nullable=False),  # the document, for its entries could not be told apart; else entries
    Column("packed", LargeBinary, nullable=False),  # zstd; empty: it was too large to be kept
    Column("places", LargeBinary, nullable=False),  # see store.served
    Index("ix_served_feed_id_seen_at", "feed_id", "seen_at"),
)

# Items that capture has before it: noted with the change that asks for it, struck off once it was looked at.
to_capture = Table("to_capture", metadata, Column("item_id", ForeignKey("items.id"), primary_key=True))

# The pages that flagged items lead to, and when each is visited next.
pages = Table(
    "pages",
    metadata,
    id_column(),
    Column("key", Text, nullable=False, unique=True),  # SHA-256 of the address, which may be longer than an index takes
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),  # of the address, with its port
    Column("noted_at", Instant, nullable=False),
    Column("next_visit_at", Instant, index=True),  # NULL: no more
    Column("visits", Integer, nullable=False, default=0),  # that ended with an answer to go by
    Column("attempts", Integer, nullable=False, default=0),  # since the last such visit
    Column("captured_at", Instant),  # the first capture, from which later visits are counted
    Column("error", Text),  # of the last attempt
    Column("etag", Text),  # as the page last came with
    Column("last_modified", Text),
    Column("words", Text),  # SHA-256 of the words of its main text, when it was last there
    Column("gone", Boolean, nullable=False, default=False),
)
page_items = Table(
    "page_items",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("page_id", ForeignKey("pages.id"), primary_key=True, index=True),
)

# The WARC files, each written once; one of which something was purged gives way to another.
warcs = Table(
    "warcs",
    metadata,
    Column("file", Text, primary_key=True),  # below evidence.directory
    Column("written_at", Instant, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("loose", Boolean, nullable=False, default=False),  # of what is in it something was purged
)

# One row for each entry and page captured; ``offset`` and ``length`` hold all records of it, among them ``record_id``,
# whose payload has ``sha256`` and ``bytes``.
captures = Table(
    "captures",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),  # entry, page
    Column("item_id", ForeignKey("items.id")),  # of an entry
    Column("revision", Integer),
    Column("page_id", ForeignKey("pages.id"), index=True),  # of a page
    Column("url", Text, nullable=False),
    Column("final_url", Text, nullable=False),
    Column("captured_at", Instant, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),  # pairs, as they came
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("cut", Text),  # why the body is not whole: length, time, disconnect
    Column("whole", Boolean, nullable=False, default=False),  # an entry inside of the whole document
    Column("changed", Text),  # against the capture before it: same, changed, gone
    Column("file", ForeignKey("warcs.file"), nullable=False, index=True),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("record_id", Text, nullable=False),
    Index("uq_captures_entry", "item_id", "revision", unique=True),
)
