"""What feeds served, the pages that flagged items lead to, and what was captured of both"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _make_served()
    _make_pages()
    _make_captures()
    # What people still look at is captured as far as it is still there.
    op.execute(
        "INSERT INTO to_capture (item_id) SELECT DISTINCT incident_items.item_id FROM incident_items "
        "JOIN alerts ON alerts.incident_id = incident_items.incident_id WHERE alerts.state NOT IN ('decided', 'closed')"
    )


def _make_served() -> None:
    op.create_table(
        "served",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("feed_id", _NUMBER, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_served_feed_id_feeds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_served")),
    )
    op.create_index("ix_served_feed_id_seen_at", "served", ["feed_id", "seen_at"], unique=False)
    op.create_index(op.f("ix_served_seen_at"), "served", ["seen_at"], unique=False)


def _make_pages() -> None:
    op.create_table(
        "to_capture",
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_to_capture_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_to_capture")),
    )
    op.create_table(
        "pages",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("noted_at", _INSTANT, nullable=False),
        sa.Column("next_visit_at", _INSTANT, nullable=True),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("captured_at", _INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
        sa.UniqueConstraint("key", name=op.f("uq_pages_key")),
    )
    op.create_index(op.f("ix_pages_next_visit_at"), "pages", ["next_visit_at"], unique=False)
    op.create_table(
        "page_items",
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.Column("page_id", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_page_items_item_id_items")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_page_items_page_id_pages")),
        sa.PrimaryKeyConstraint("item_id", "page_id", name=op.f("pk_page_items")),
    )
    op.create_index(op.f("ix_page_items_page_id"), "page_items", ["page_id"], unique=False)


def _make_captures() -> None:
    op.create_table(
        "warcs",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_warcs")),
    )
    op.create_table(
        "captures",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", _NUMBER, nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("page_id", _NUMBER, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("captured_at", _INSTANT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.Text(), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_captures_item_id_items")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("fk_captures_page_id_pages")),
        sa.ForeignKeyConstraint(["file"], ["warcs.file"], name=op.f("fk_captures_file_warcs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
    )
    op.create_index("uq_captures_entry", "captures", ["item_id", "revision"], unique=True)
    op.create_index(op.f("ix_captures_file"), "captures", ["file"], unique=False)
    op.create_index(op.f("ix_captures_page_id"), "captures", ["page_id"], unique=False)
