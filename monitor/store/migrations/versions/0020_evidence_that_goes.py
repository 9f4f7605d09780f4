"""Files of evidence of which something was purged"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("warcs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("loose", sa.Boolean(), nullable=False, server_default="0"))
    # What was purged before left its records behind: the next purge looks at every file once.
    op.execute(sa.text("UPDATE warcs SET loose = TRUE"))
