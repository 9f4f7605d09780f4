"""Where a feed moves, how hard it fails, the folder it came from"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feeds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("strikes", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("folder", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("moved_to", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("moved_since", sa.DateTime(timezone=True), nullable=True))
