"""What format 2 adds to State: every table and column that a workspace of format 1 lacks.

Nothing is changed. Taken away is `event_key`: in its place stands an index beside the lake that is
learnt from it. A new workspace has all of it already: the first migration makes the tables as they
are now, so what is there is looked at instead of assumed.
"""

import sqlalchemy as sa
from alembic import op

from touchline.storage.schema import metadata

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    connection = op.get_bind()
    metadata.create_all(connection)
    there = sa.inspect(connection)
    for table in metadata.sorted_tables:
        known = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                op.add_column(table.name, sa.Column(column.name, column.type))
    if there.has_table("event_key"):
        op.drop_table("event_key")


def downgrade() -> None:
    """Older versions pass over what was added."""
