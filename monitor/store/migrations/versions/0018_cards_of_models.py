"""The card of each model, kept beside it with its hash"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("card", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("card_sha256", sa.Text(), nullable=True))
