"""By which the rows of an item that is removed are found"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("bands", "answers"):
        op.create_index(op.f(f"ix_{table}_item_id"), table, ["item_id"])
