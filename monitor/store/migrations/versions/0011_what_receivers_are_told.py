"""What receivers are told of alerts, how far the audit was read for it, and an audit that refuses replacement"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outbox")),
    )
    unsent = sa.text("sent_at IS NULL AND dropped IS NULL")
    op.create_index(op.f("ix_outbox_receiver"), "outbox", ["receiver"], unique=False)
    op.create_index("ix_outbox_unsent", "outbox", ["next_try_at"], sqlite_where=unsent, postgresql_where=unsent)
    op.create_table(
        "occasions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", _SEQ, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_occasions_alert_id")),
        sa.ForeignKeyConstraint(["seq"], ["audit.seq"], name=op.f("fk_occasions_seq")),
        sa.ForeignKeyConstraint(["message_key"], ["outbox.key"], name=op.f("fk_occasions_message_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_occasions")),
    )
    waiting = sa.text("message_key IS NULL AND dropped IS NULL")
    op.create_index(op.f("ix_occasions_message_key"), "occasions", ["message_key"], unique=False)
    op.create_index("ix_occasions_alert_id_receiver", "occasions", ["alert_id", "receiver"], unique=False)
    op.create_index("ix_occasions_waiting", "occasions", ["receiver"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", _SEQ, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    # What was written before there were receivers is nobody's news.
    op.execute("INSERT INTO cursors (name, seq) SELECT 'notify', coalesce(max(seq), 0) FROM audit")
    if op.get_bind().dialect.name == "sqlite":  # it runs no delete trigger for a row that INSERT OR REPLACE deletes
        op.execute(
            "CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit "
            "WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq) "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )
