"""What group and dispatch have to look at, so that a pass costs what is new, and by which rules dispatch last looked"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "to_group",
        sa.Column("item_id", number, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_to_group_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_to_group")),
    )
    with op.batch_alter_table("to_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_to_group_published_at"), ["published_at"], unique=False)
    op.create_table(
        "to_dispatch",
        sa.Column("incident_id", number, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_to_dispatch_incident_id_incidents")),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_to_dispatch")),
    )
    op.create_table(
        "looked",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stage", name=op.f("pk_looked")),
    )

    refutes = sa.text("stance = 'refutes'")
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_assessments_refutes", ["item_id"], unique=False, sqlite_where=refutes, postgresql_where=refutes
        )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_decision", ["decision", "decided_at"], unique=False)

    # Whatever may wait is looked at once. Incidents with an alert are as well, for no rules are known by which they
    # were looked at.
    op.execute("INSERT INTO to_group (item_id) SELECT DISTINCT item_id FROM assessments WHERE flagged")
    op.execute(
        "INSERT INTO to_dispatch (incident_id) SELECT id FROM incidents "
        "WHERE NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.incident_id = incidents.id)"
    )
