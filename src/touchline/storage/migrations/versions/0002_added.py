"""What format 2 adds to State: every table and column that a workspace of format 1 lacks.

Of what was there, traits get a longer key: of each source a value is kept. Taken away is
`event_key`: in its place stands an index beside the lake that is learnt from it. A new workspace
has all of it already: the first migration makes the tables as they are now, so what is there is
looked at instead of assumed.
"""

import sqlalchemy as sa
from alembic import op

from touchline.storage.schema import metadata

revision = "0002"
down_revision = "0001"

# Nobody was asked for anything then.
TRAITS = """
INSERT INTO trait (node_id, name, source, is_told, sealed_value, ts_us)
SELECT node_id, name, source, false, sealed_value, ts_us FROM trait_before
"""
# Addresses are sealed: whoever has the keys reads their domains when they are first wanted.
DOMAINS_DUE = "INSERT INTO mark (name, value) VALUES ('mail_domains', 1)"


def upgrade() -> None:
    connection = op.get_bind()
    lacks_domains = not sa.inspect(connection).has_table("mail_domain")
    has_short_key = "is_told" not in _columns(connection, "trait")
    if has_short_key:
        op.rename_table("trait", "trait_before")
    metadata.create_all(connection)
    if has_short_key:
        connection.execute(sa.text(TRAITS))
        op.drop_table("trait_before")
    if lacks_domains:
        connection.execute(sa.text(DOMAINS_DUE))
    there = sa.inspect(connection)
    for table in metadata.sorted_tables:
        known = _columns(connection, table.name)
        for column in table.columns:
            if column.name not in known:
                op.add_column(table.name, sa.Column(column.name, column.type))
    if there.has_table("event_key"):
        op.drop_table("event_key")


def _columns(connection: sa.Connection, table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(connection).get_columns(table)}


def downgrade() -> None:
    """Older versions pass over what was added."""
