"""Tables of what the program makes of it: models, assessments, incidents."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from monitor.store.schema.base import Instant, id_column, metadata

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
    Column("card", LargeBinary),  # JSON, made when it was registered; NULL: before that was done
    Column("card_sha256", Text),
    Index("uq_models_one_live", "live", unique=True, sqlite_where=text("live = 1"), postgresql_where=text("live")),
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
    Index(
        "ix_assessments_refutes",
        "item_id",
        sqlite_where=text("stance = 'refutes'"),
        postgresql_where=text("stance = 'refutes'"),
    ),
)

incidents = Table(
    "incidents",
    metadata,
    id_column(),
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

# What the stages have before them: noted with the change that asks for it, struck off once it was looked at (see
# store.pending).
to_group = Table(
    "to_group",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    # NULL until it was looked at; then of those too old to be grouped, which rest until the limit is set further back.
    Column("published_at", Instant, index=True),
)
to_dispatch = Table("to_dispatch", metadata, Column("incident_id", ForeignKey("incidents.id"), primary_key=True))

# A digest of the rules by which a stage last looked at everything: by others, all is to be looked at again.
looked = Table(
    "looked",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("rules", Text, nullable=False),
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
    Column("item_id", ForeignKey("items.id"), primary_key=True, index=True),
)
