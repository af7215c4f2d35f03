"""Runs the migrations on the connection that `database.upgrade` hands over, in its transaction."""

from alembic import context

from include.loadtest.history.schema import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    version_table_schema=SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
