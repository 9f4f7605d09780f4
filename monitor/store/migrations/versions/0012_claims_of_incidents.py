"""The claims by which incidents are found, incidents that may be one, merged ones, and samples of the unflagged"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("sample", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("sampled_on", sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f("ix_incidents_sampled_on"), ["sampled_on"], unique=False)

    with op.batch_alter_table("incident_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("wording", sa.BigInteger(), nullable=True))
        batch_op.create_index("uq_incident_items_wording", ["wording"], unique=True)

    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sample", sa.Text(), nullable=True))

    op.create_table(
        "related",
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("other_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_related_incident_id_incidents")),
        sa.ForeignKeyConstraint(["other_id"], ["incidents.id"], name=op.f("fk_related_other_id_incidents")),
        sa.PrimaryKeyConstraint("incident_id", "other_id", name=op.f("pk_related")),
    )
    with op.batch_alter_table("related", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_related_other_id"), ["other_id"], unique=False)

    # What was grouped so far was grouped by its present text, and its first item says what the incident is about.
    op.execute("UPDATE incident_items SET revision = (SELECT revision FROM items WHERE items.id = item_id)")
    op.execute("UPDATE incident_items SET wording = item_id WHERE reason = 'first'")
