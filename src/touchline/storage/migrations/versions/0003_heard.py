"""What format 3 adds to State: when an identifier was last heard of."""

import sqlalchemy as sa
from alembic import op

from touchline.storage.schema import node

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(node.name)}
    if node.c.heard_us.name not in known:  # a new workspace was made as tables are now
        op.add_column(node.name, sa.Column(node.c.heard_us.name, node.c.heard_us.type))


def downgrade() -> None:
    """Older versions pass over what was added."""
