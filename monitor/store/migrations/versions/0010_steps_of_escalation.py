"""How far the escalation of each alert has come, and how often its lease ran out"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        for name in ("take_steps", "decide_steps", "reminders", "expiries"):
            batch_op.add_column(sa.Column(name, sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_alerts_opened_at", ["opened_at"])
    # Until now each level was one step, and only what nobody had taken rose.
    op.execute("UPDATE alerts SET take_steps = level")
