"""What each feed brings at which time of day, and how long its last answer took"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feeds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer_s", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("rhythm", sa.JSON(none_as_null=True), nullable=True))
