"""Canonical links without www, the hosts for telephones, and AMP"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As monitor.links has them from now on, but for rare forms of AMP: copies of older stories are found by them.
    items = sa.table("items", sa.column("link_key", sa.Text))
    key = items.c.link_key
    for prefix in ("m.", "mobile.", "amp.", "www."):
        shorter = sa.func.substr(key, len(prefix) + 1)
        op.execute(sa.update(items).where(key.like(f"{prefix}%.%/%")).values(link_key=shorter))
    shorter = sa.func.substr(key, 1, sa.func.length(key) - len("/amp"))
    op.execute(sa.update(items).where(key.like("%/amp")).values(link_key=shorter))
