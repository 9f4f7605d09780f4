"""Texts and the grams they are found by, and feeds that hold tips instead of being polled"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("feeds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.Text(), nullable=True))
    op.create_table(
        "texts",
        sa.Column("number", number, autoincrement=False, nullable=False),
        sa.Column("item_id", number, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("feed_id", number, nullable=True),
        sa.Column("decision_id", number, nullable=True),
        sa.Column("note_seq", number, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_texts_item_id_items"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_texts_feed_id_feeds")),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_texts_decision_id_decisions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["note_seq"], ["audit.seq"], name=op.f("fk_texts_note_seq_audit")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_texts")),
        sa.UniqueConstraint("item_id", "revision", name=op.f("uq_texts_item_id_revision")),
    )
    decided = sa.text("decision_id IS NOT NULL")
    op.create_index("ix_texts_decision_id", "texts", ["decision_id"], sqlite_where=decided, postgresql_where=decided)
    op.create_index(
        "ix_texts_replaced",
        "texts",
        ["number"],
        sqlite_where=sa.text("replaced = 1"),
        postgresql_where=sa.text("replaced"),
    )
    op.create_table(
        "blocks",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_blocks")),
    )
    op.create_table(
        "postings",
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["block"], ["blocks.block"], name=op.f("fk_postings_block_blocks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("block", "bucket", name=op.f("pk_postings")),
    )
    op.create_table(
        "followed",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", number, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_followed")),
    )
    # What is there already is numbered by the stage, a part in each pass.
    op.create_table(
        "to_index",
        sa.Column("item_id", number, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_to_index_item_id_items"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_to_index")),
    )
