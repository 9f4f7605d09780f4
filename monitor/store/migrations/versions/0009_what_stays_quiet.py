"""Silences, what each of them hid, and incidents whose claim is clarified or answered already"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("inhibited_by", id_type, nullable=True))
    op.create_index(
        "ix_alerts_suppression",
        "alerts",
        ["suppression"],
        sqlite_where=sa.text("suppression IS NOT NULL"),
        postgresql_where=sa.text("suppression IS NOT NULL"),
    )
    op.create_table(
        "silences",
        sa.Column("id", id_type, autoincrement=True, nullable=False),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", instant, nullable=False),
        sa.Column("ends_at", instant, nullable=False),
        sa.Column("expired_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index(op.f("ix_silences_ends_at"), "silences", ["ends_at"])
    op.create_table(
        "hidden",
        sa.Column("silence_id", id_type, nullable=False),
        sa.Column("alert_id", id_type, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("ended_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["silence_id"], ["silences.id"], name=op.f("fk_hidden_silence_id_silences")),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_hidden_alert_id_alerts")),
        sa.PrimaryKeyConstraint("silence_id", "alert_id", name=op.f("pk_hidden")),
    )
    op.create_index(op.f("ix_hidden_alert_id"), "hidden", ["alert_id"])
    op.create_table(
        "inhibitions",
        sa.Column("alert_id", id_type, nullable=False),
        sa.Column("by_alert_id", id_type, nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("outlets", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_inhibitions_alert_id_alerts")),
        sa.ForeignKeyConstraint(["by_alert_id"], ["alerts.id"], name=op.f("fk_inhibitions_by_alert_id_alerts")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_inhibitions")),
    )
    op.create_index(op.f("ix_inhibitions_by_alert_id"), "inhibitions", ["by_alert_id"])
    op.create_table(
        "comparisons",
        sa.Column("alert_id", id_type, nullable=False),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_comparisons_alert_id_alerts")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_comparisons")),
    )
    op.create_table(
        "answers",
        sa.Column("incident_id", id_type, nullable=False),
        sa.Column("item_id", id_type, nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_answers_incident_id_incidents")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_answers_item_id_items")),
        sa.PrimaryKeyConstraint("incident_id", "item_id", name=op.f("pk_answers")),
    )
