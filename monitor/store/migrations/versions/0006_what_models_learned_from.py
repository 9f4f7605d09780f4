"""What each model learned from, whether it may become live, and which one it followed"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.add_column(sa.Column("learned", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("lessons", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("judgement", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("follows", sa.Text(), nullable=True))
