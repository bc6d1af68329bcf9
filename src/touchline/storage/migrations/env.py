"""Alembic's entry: runs on the connection that State hands over, inside its transaction."""

from alembic import context

from touchline.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
